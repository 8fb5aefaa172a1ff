/// The name of a segment's file: `journal-` and the number of its first record, so that names sort as records do.
package struct SegmentName: Sendable, Hashable, Comparable {
  package let firstSequence: Int

  package init(firstSequence: Int) { self.firstSequence = firstSequence }

  /// `nil` when the file is no segment.
  package init?(file: String) {
    guard file.hasPrefix(Self.prefix), file.hasSuffix(Self.suffix) else { return nil }
    let digits = file.utf8.dropFirst(Self.prefix.utf8.count).dropLast(Self.suffix.utf8.count)
    guard digits.count == Self.width, let first = Int(String(decoding: digits, as: UTF8.self)), first > 0
    else { return nil }
    firstSequence = first
    // `+1` is a number to `Int` and no name of ours.
    guard self.file == file else { return nil }
  }

  package var file: String {
    let digits = String(firstSequence)
    return Self.prefix + String(repeating: "0", count: max(0, Self.width - digits.utf8.count)) + digits
      + Self.suffix
  }

  package static func < (left: Self, right: Self) -> Bool { left.firstSequence < right.firstSequence }

  private static let prefix = "journal-"
  private static let suffix = ".jsonl"
  private static let width = 16
}
