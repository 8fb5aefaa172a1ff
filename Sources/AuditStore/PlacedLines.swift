package import AuditTrail

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
    let file: OpenFile
    do throws(FileFault) {
      file = try opened(place.segment)
    } catch  where error.isMissing {
      return nil
    }
    // With the line feed, and with the one before.
    let start = max(0, place.offset - 1)
    let lead = place.offset - start
    guard
      let bytes = try files.bytes(of: file, at: start, count: lead + place.length + 1),
      bytes.last == 0x0A, lead == 0 || bytes[0] == 0x0A
    else { return nil }
    return Array(bytes[lead..<bytes.count - 1])
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

extension FileFault {
  /// There is no such file.
  package var isMissing: Bool { code == 2 }
}

extension JournalFileSystem {
  /// `count` bytes from `offset` on; `nil` when the file ends before.
  fileprivate func bytes(of file: OpenFile, at offset: Int, count: Int) throws(FileFault) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let result: Result<Int, FileFault> = bytes.withUnsafeMutableBytes { buffer in
        Result { () throws(FileFault) in
          try read(file, at: offset + done, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
        }
      }
      let more = try result.get()
      guard more > 0 else { return nil }
      done += more
    }
    return bytes
  }
}
