internal import AuditTrail
internal import Glibc

/// Reads a journal's lines onwards from a record, and remembers where it is.
package struct JournalCursor {
  package struct Line: Sendable {
    package let sequence: Int
    /// Without its line feed.
    package let bytes: [UInt8]
  }

  private let files: any JournalFileSystem
  /// The last record that was given out.
  package private(set) var sequence: Int
  private var segment: SegmentName?
  /// Where the next line begins in it.
  private var offset = 0

  /// - Parameter sequence: the record before the first that is wanted; 0 for all.
  package init(directory: String, after sequence: Int) throws(FileFault) {
    try self.init(PosixFileSystem(directory, creating: false), after: sequence)
  }

  init(_ files: any JournalFileSystem, after sequence: Int) {
    self.files = files
    self.sequence = sequence
  }

  /// The number of the last record that is known to be on disk; 0 when nothing says so.
  package func durableSequence() throws(FileFault) -> Int {
    try promisedSequence() ?? 0
  }

  /// The number of the last record that the mark promises; `nil` when there is no mark that can be read.
  private func promisedSequence() throws(FileFault) -> Int? { try mark()?.head.sequence }

  /// `nil` when there is none that can be read.
  func mark() throws(FileFault) -> HeadMark? { try JournalListing(files).headMark }

  /// Whether something stands behind what was read.
  func hasMore() throws(FileFault) -> Bool {
    let segments = try JournalListing(files).segments
    guard let last = segments.last else { return false }
    guard last == segment else { return true }
    do throws(FileFault) {
      return try files.size(of: last.file) > offset
    } catch {
      // Retention has removed it meanwhile; then there is another.
      guard error.isExpiry else { throw error }
      return true
    }
  }

  /// The next lines, in order, none beyond the record `last`, which must be on disk. The first may have a number above
  /// the one that was next: then what is between is no longer kept.
  /// - Parameters:
  ///   - count: how many lines at most.
  ///   - size: bytes after which no further line is taken.
  package mutating func read(upTo last: Int, count: Int, size: Int) throws(FileFault) -> [Line] {
    var lines: [Line] = []
    var bytesLeft = size
    while sequence < last, lines.count < count, bytesLeft > 0 {
      if segment == nil { segment = try firstSegment() }
      guard let current = segment else { break }
      do throws(FileFault) {
        try readSegment(current, upTo: last, count: count, bytesLeft: &bytesLeft, into: &lines)
      } catch {
        // Retention has removed it; what follows is in the next one.
        guard error.isExpiry else { throw error }
      }
      guard sequence < last, lines.count < count, bytesLeft > 0 else { break }
      guard let next = try JournalListing(files).segments.first(where: { $0 > current }) else { break }
      segment = next
      offset = 0
    }
    return lines
  }

  /// The one with the next record, or the first that is kept.
  private func firstSegment() throws(FileFault) -> SegmentName? {
    let segments = try JournalListing(files).segments
    return segments.last { $0.firstSequence <= sequence + 1 } ?? segments.first
  }

  private mutating func readSegment(
    _ segment: SegmentName, upTo last: Int, count: Int, bytesLeft: inout Int, into lines: inout [Line]
  ) throws(FileFault) {
    var source = try SegmentLines(segment.file, in: files, from: offset)
    var fault: FileFault?
    while lines.count < count, bytesLeft > 0, fault == nil {
      var bytes: [UInt8] = []
      do throws(FileFault) {
        guard try source.next({ span in bytes = span.withUnsafeBytes { Array($0) } }) == .line else { break }
      } catch {
        fault = error
        break
      }
      guard let number = RecordPrefix(bytes.span.bytes)?.sequence, number > sequence else {
        offset = source.offset
        continue
      }
      guard number <= last else { break }
      offset = source.offset
      sequence = number
      bytesLeft -= bytes.count
      lines.append(Line(sequence: number, bytes: bytes))
    }
    source.close()
    if let fault { throw fault }
  }
}
