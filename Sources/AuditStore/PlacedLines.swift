package import AuditTrail
internal import Glibc

/// Where a record's line stands.
package struct RecordPlace: Sendable, Hashable {
  package var segment: SegmentName
  package var offset: Int
  /// Without the line feed.
  package var length: Int

  package init(segment: SegmentName, offset: Int, length: Int) {
    self.segment = segment
    self.offset = offset
    self.length = length
  }

  /// Whether a segment can hold a record of that length there.
  package static func canBe(offset: Int, length: Int) -> Bool {
    (0..<1 << 48).contains(offset) && (0...SegmentLines.longestRecord).contains(length)
  }
}

/// A place between two lines: where reading goes on.
package struct JournalPosition: Sendable, Hashable {
  package var segment: SegmentName
  package var offset: Int

  package init(segment: SegmentName, offset: Int) {
    self.segment = segment
    self.offset = offset
  }
}

/// The lines of a journal with their places, for whoever comes back for them. It does not check the chain.
package final class PlacedLines {
  private let files: any JournalFileSystem
  /// Segments that were looked into; few queries need more than some.
  private var open: [SegmentName: OpenFile] = [:]

  private static let mostOpen = 32

  package convenience init(directory: String) throws(FileFault) {
    try self.init(PosixFileSystem(directory, creating: false))
  }

  init(_ files: any JournalFileSystem) { self.files = files }

  deinit { closeAll() }

  /// The segments that are kept, in order.
  package func segments() throws(FileFault) -> [SegmentName] { try JournalListing(files).segments }

  /// Calls `body` with each whole line from `start` on (`nil`: from the first that is kept), until it returns `false`.
  package func read(
    from start: JournalPosition?, _ body: (Span<UInt8>, RecordPlace) -> Bool
  ) throws(FileFault) {
    // A segment that another follows is complete by the time it is listed.
    for segment in try segments() where start.map({ segment >= $0.segment }) ?? true {
      let offset = segment == start?.segment ? start?.offset ?? 0 : 0
      guard try read(segment, from: offset, body) else { return }
    }
  }

  /// - Returns: whether `body` wants more.
  private func read(
    _ segment: SegmentName, from offset: Int, _ body: (Span<UInt8>, RecordPlace) -> Bool
  ) throws(FileFault) -> Bool {
    var lines: SegmentLines
    do throws(FileFault) {
      lines = try SegmentLines(segment.file, in: files, from: offset)
    } catch {
      // Retention has removed it since it was listed.
      guard error.isExpiry else { throw error }
      return true
    }
    let result = Result { () throws(FileFault) -> Bool in
      while true {
        let start = lines.offset
        guard try lines.next() == .line else { return true }
        let line = lines.line
        guard body(line, RecordPlace(segment: segment, offset: start, length: line.count)) else {
          return false
        }
      }
    }
    lines.close()
    return try result.get()
  }

  /// What stands there now; `nil` when that is no whole line of this length, or the segment is no longer kept.
  package func line(at place: RecordPlace) throws(FileFault) -> [UInt8]? {
    try look(at: place, beyond: 0)?.line
  }

  /// The line, and what follows it in the segment, as far as that is there.
  private func look(
    at place: RecordPlace, beyond: Int
  ) throws(FileFault) -> (line: [UInt8], rest: ArraySlice<UInt8>)? {
    let file: OpenFile
    do throws(FileFault) {
      file = try opened(place.segment)
    } catch  where error.isMissing {
      return nil
    }
    // With the line feed, and with the one before.
    let start = max(0, place.offset - 1)
    let lead = place.offset - start
    let end = lead + place.length
    let bytes = try files.bytes(of: file, at: start, upTo: end + 1 + beyond)
    guard bytes.count > end, bytes[end] == 0x0A, lead == 0 || bytes[0] == 0x0A else { return nil }
    return (Array(bytes[lead..<end]), bytes[(end + 1)...])
  }

  private func opened(_ segment: SegmentName) throws(FileFault) -> OpenFile {
    if let file = open[segment] { return file }
    if open.count >= Self.mostOpen { closeAll() }
    let file = try files.open(segment.file, .read)
    open[segment] = file
    return file
  }

  /// Closes the segments that were looked into; they are opened again as they are needed.
  package func closeAll() {
    for file in open.values { files.close(file) }
    open.removeAll()
  }
}

// Whether the chain holds what stands there.
extension PlacedLines {
  /// The record there with what can be told of it from the beginning of the record behind it, or from the mark when there
  /// is none; `nil` when there is no record of this length.
  package func record(at place: RecordPlace) throws(FileFault) -> JournalRecord? {
    guard let found = try look(at: place, beyond: Self.prefix) else { return nil }
    guard var record = JournalRecord(line: found.line) else { return nil }
    record.doubt = try doubt(of: found.line, found.rest, at: place)
    // What a failed write takes back is written again: then another record stands there, and another behind it.
    if record.doubt != nil, let again = try look(at: place, beyond: Self.prefix) {
      guard let reread = JournalRecord(line: again.line) else { return nil }
      record = reread
      record.doubt = try doubt(of: again.line, again.rest, at: place)
    }
    return record
  }

  private func doubt(
    of line: [UInt8], _ rest: ArraySlice<UInt8>, at place: RecordPlace
  ) throws(FileFault) -> RecordDoubt? {
    guard let head = ChainHead(ofLine: line.span.bytes) else { return .altered }
    if let next = RecordPrefix(rest.span.bytes) { return head.doubt(before: next) }
    if Self.isNoRecord(rest) { return .unproven }
    for look in 0..<Self.looks {
      // The mark and the segments first: what they show is readable by now.
      let listing = try JournalListing(files)
      if let next = try next(after: place, in: listing) { return head.doubt(before: next) }
      let doubt = head.doubt(under: listing.headMark)
      let isLast = listing.segments.last.map { $0 <= place.segment } ?? true
      guard doubt == .unproven || !isLast, !listing.isExpired(head) else {
        return doubt == .altered ? doubt : nil
      }
      // A gateway that writes shows a line that is not whole for some microseconds.
      guard look + 1 < Self.looks, try JournalLock.isHeld(in: files) else { break }
      usleep(Self.pause)
    }
    return .unproven
  }

  /// The beginning of the record behind the one at `place`, in its segment or the next.
  private func next(after place: RecordPlace, in listing: JournalListing) throws(FileFault) -> RecordPrefix? {
    if let rest = try look(at: place, beyond: Self.prefix)?.rest {
      if let next = RecordPrefix(rest.span.bytes) { return next }
      guard !Self.isNoRecord(rest) else { return nil }
    }
    // What is not whole at a segment's end was not acknowledged.
    guard let segment = listing.segments.first(where: { $0 > place.segment }) else { return nil }
    let beginning: [UInt8]
    do throws(FileFault) {
      beginning = try files.bytes(of: opened(segment), at: 0, upTo: Self.prefix)
    } catch  where error.isMissing {
      return nil
    }
    return RecordPrefix(beginning.span.bytes)
  }

  /// Whether there is more than a line that is being written.
  private static func isNoRecord(_ rest: ArraySlice<UInt8>) -> Bool {
    rest.count >= prefix || rest.contains(0x0A)
  }

  /// More than the beginning of a record has: two numbers of at most 19 digits, 64 of a digest, and the names.
  private static let prefix = 192
  private static let looks = 100
  private static let pause: UInt32 = 5000
}

extension FileFault {
  /// There is no such file.
  package var isMissing: Bool { code == 2 }
}

extension JournalFileSystem {
  /// `count` bytes from `offset` on, or as many as there are.
  fileprivate func bytes(of file: OpenFile, at offset: Int, upTo count: Int) throws(FileFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let result: Result<Int, FileFault> = bytes.withUnsafeMutableBytes { buffer in
        Result { () throws(FileFault) in
          try read(file, at: offset + done, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
        }
      }
      let more = try result.get()
      guard more > 0 else { break }
      done += more
    }
    bytes.removeLast(count - done)
    return bytes
  }
}
