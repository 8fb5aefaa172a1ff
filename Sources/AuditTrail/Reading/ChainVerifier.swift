internal import OpenSSLCrypto
internal import Primitives

/// Checks a journal record by record, in the order of writing. It holds two digests, however long the journal is.
///
/// A record is vouched for by the next one, so a broken link is known one record late and may be the fault of either:
/// the record after decides. What no record follows is vouched for by `checkpoint.head`.
package struct ChainVerifier {
  /// The journal as far as it was checked.
  package struct Extent: Sendable, Hashable {
    package var segments = 0
    package var records = 0
    /// `dropped` records: each stands for one that was cut after it had been on disk.
    package var dropped = 0
    /// `suppressed` records, and how many requests they stand for.
    package var suppressed = 0
    package var suppressedRequests = 0
    package var head: ChainHead
  }

  /// Where a record stands.
  private struct Place {
    var segment: SegmentName
    var line: Int
    var sequence: Int
  }

  package private(set) var extent: Extent
  /// The one at hand; before the first, the one that is expected.
  private var segment: SegmentName
  private var line = 0
  /// Where `extent.head` stands.
  private var last: Place?
  /// A record whose link to `suspect` does not hold; the next record decides which of the two is bad.
  private var suspect: Place?
  /// What the first record must be chained to; `nil` when what stood before is not known.
  private var base: ChainHead?
  private let mark: HeadMark?
  private let isWhole: Bool
  private var isMarkSeen: Bool
  /// The last removed record, as long as no `expired` record was seen that names it.
  private var unexplained: ChainHead?
  /// Copies may share it: what it holds is about the line at hand only.
  private let reader = LineReader()

  /// - Parameters:
  ///   - first: the number of the first record that is looked at.
  ///   - base: the record before it, when that is known.
  ///   - mark: what the journal must hold at least.
  ///   - isWhole: whether all segments that are kept will be read, and each record to its last byte; then an `expired`
  ///     record must name `base`, unless it is the genesis.
  package init(from first: Int, after base: ChainHead?, mark: HeadMark?, isWhole: Bool = false) {
    self.base = base
    self.isWhole = isWhole
    unexplained = isWhole && base != .genesis ? base : nil
    self.mark = mark
    segment = SegmentName(firstSequence: first)
    extent = Extent(head: base ?? ChainHead(sequence: first - 1, digest: ChainHead.genesis.digest))
    isMarkSeen = (mark?.head.sequence ?? 0) < first
  }

  /// The segment that the next lines stand in.
  package mutating func begin(_ name: SegmentName) -> ChainProblem? {
    segment = name
    line = 0
    extent.segments += 1
    let expected = extent.head.sequence + 1
    guard name.firstSequence != expected else { return nil }
    return ChainProblem(
      segment: segment.file, line: nil, sequence: expected, kind: .missing(next: name.firstSequence))
  }

  /// A whole line, without its line feed.
  package mutating func take(_ bytes: RawSpan) -> ChainProblem? {
    line += 1
    let expected = extent.head.sequence + 1
    guard let prefix = RecordPrefix(bytes) else {
      return suspected(nil) ?? problem(fault(of: bytes, expected))
    }
    // A line in the usual form holds no NUL. Any other is looked through: no record holds one, so it shows a block that
    // never reached the disk, and the record after it need not show it.
    let isUsual = reader.isUsual(bytes)
    guard isUsual || !Self.holdsZero(bytes) else {
      return suspected(nil) ?? problem(fault(of: bytes, expected))
    }
    guard prefix.sequence == expected else {
      return suspected(nil) ?? problem(.otherRecord(found: prefix.sequence))
    }
    guard RecordVersion.known.contains(prefix.version) else {
      return suspected(nil) ?? problem(.unknownVersion(prefix.version))
    }
    let unusual = isWhole && !isUsual ? Self.record(bytes) : nil
    guard !isWhole || isUsual || unusual != nil else { return suspected(nil) ?? problem(.noRecord) }
    let place = Place(segment: segment, line: line, sequence: expected)
    let isLinked = links(prefix.previous)
    if let found = suspected(isLinked) { return found }
    if !isLinked {
      guard let last else { return problem(.unlinked) }
      suspect = last
    }
    extent.head.advance(to: expected, over: bytes)
    extent.records += 1
    last = place
    if let unusual, unusual.kind == .suppressed {
      extent.suppressed += 1
      let (sum, isTooMuch) = extent.suppressedRequests.addingReportingOverflow(unusual.integer("count") ?? 0)
      extent.suppressedRequests = isTooMuch ? .max : sum
    }
    if !isUsual, prefix.isFollowed(by: DroppedRecord.beginning, in: bytes) { extent.dropped += 1 }
    // In the usual form are records of requests only.
    return checkMark() ?? (isUsual ? nil : checkExpiry(bytes, prefix))
  }

  /// The end, when all lines were whole.
  package mutating func finish() -> ChainProblem? {
    if let found = suspected(nil) { return found }
    if let mark, mark.head.sequence > extent.head.sequence {
      return ChainProblem(
        segment: segment.file, line: nil, sequence: extent.head.sequence + 1,
        kind: .cutOff(last: extent.head.sequence))
    }
    return unexplained.map { removal(upTo: $0, .removed) }
  }

  /// The end, when that many bytes without a line feed follow.
  package mutating func finish(tornAfter bytes: Int) -> ChainProblem {
    line += 1
    let sequence = extent.head.sequence + 1
    if let found = suspected(nil) { return found }
    // When more than this one is missing, it is not a crash that tore it.
    if isMarked(sequence + 1) { return problem(.cutOff(last: sequence - 1)) }
    return problem(.torn(bytes: bytes, wasWhole: isMarked(sequence)))
  }

  /// The line does not end within what a record may have.
  package mutating func finishTooLong() -> ChainProblem {
    line += 1
    return suspected(nil) ?? problem(.tooLong)
  }

  /// Whether `checkpoint.head` says that this record was on disk.
  private func isMarked(_ sequence: Int) -> Bool { (mark?.head.sequence ?? 0) >= sequence }

  private func links(_ previous: SHA256Digest) -> Bool {
    guard last == nil, base == nil else { return previous == extent.head.digest }
    return true
  }

  private func problem(_ kind: ChainProblem.Kind) -> ChainProblem {
    ChainProblem(segment: segment.file, line: line, sequence: extent.head.sequence + 1, kind: kind)
  }

  /// Which of two records is bad, when one is: the later one if the record after it (or the mark) does not vouch for
  /// it either.
  private mutating func suspected(_ isNextLinked: Bool?) -> ChainProblem? {
    guard let earlier = suspect, let later = last else { return nil }
    suspect = nil
    if isNextLinked == false {
      return ChainProblem(
        segment: later.segment.file, line: later.line, sequence: later.sequence, kind: .unlinked)
    }
    return ChainProblem(
      segment: earlier.segment.file, line: earlier.line, sequence: earlier.sequence, kind: .altered)
  }

  private mutating func checkMark() -> ChainProblem? {
    guard let mark, !isMarkSeen, mark.head.sequence == extent.head.sequence else { return nil }
    isMarkSeen = true
    guard mark.head.digest != extent.head.digest else { return nil }
    // With a broken link before it, the mark takes the part of the next record.
    return suspected(false) ?? problemAtLast(.otherThanMarked)
  }

  private mutating func checkExpiry(_ line: RawSpan, _ prefix: RecordPrefix) -> ChainProblem? {
    guard let missing = unexplained, let named = ExpiredSegments.last(in: line, after: prefix),
      named.sequence == missing.sequence
    else { return nil }
    unexplained = nil
    return named == missing ? nil : removal(upTo: missing, .expiredOther)
  }

  private func removal(upTo last: ChainHead, _ kind: ChainProblem.Kind) -> ChainProblem {
    ChainProblem(
      segment: SegmentName(firstSequence: last.sequence + 1).file, line: nil, sequence: last.sequence,
      kind: kind)
  }

  private func problemAtLast(_ kind: ChainProblem.Kind) -> ChainProblem {
    ChainProblem(segment: segment.file, line: line, sequence: extent.head.sequence, kind: kind)
  }

  /// What every reader of the journal reads there, and in one way only.
  private static func record(_ line: RawSpan) -> JournalRecord? {
    JournalRecord(line: line.withUnsafeBytes { Array($0) })
  }

  /// What stands in the place of a record.
  private func fault(of line: RawSpan, _ sequence: Int) -> ChainProblem.Kind {
    !isMarked(sequence) && Self.holdsZero(line) ? .unwrittenBlocks : .noRecord
  }

  private static func holdsZero(_ line: RawSpan) -> Bool {
    line.withUnsafeBytes { $0.contains(0) }
  }
}

/// The scanner's memory, so that a verifier can be copied.
private final class LineReader {
  private var scanner = RecordScanner()
  private var facts = RecordFacts()

  /// Whether the line is a record of a request as our own writer writes it, which every reader reads in the same way.
  func isUsual(_ line: RawSpan) -> Bool { scanner.scan(Span(_bytes: line), into: &facts) }
}
