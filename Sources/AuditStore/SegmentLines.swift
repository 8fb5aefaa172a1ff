internal import Glibc

/// Reads a segment line by line, with memory for one line and a chunk.
struct SegmentLines: ~Copyable {
  enum Item: Equatable {
    case line
    /// The file ends with that many bytes after its last line feed (0: with a whole line).
    case end(tornBytes: Int)
    /// No line feed within what a record may take.
    case tooLong
  }

  private let files: any JournalFileSystem
  private let file: OpenFile
  private var buffer: [UInt8]
  /// The part of `buffer` that is read and not yet given out.
  private var unread = 0..<0
  /// Where the next line begins in the file.
  private(set) var offset: Int

  private let longestLine: Int
  /// Where the file is taken to end, if it is longer.
  private let limit: Int

  private static let chunk = 64 * 1024
  /// Far more than the largest record: 50 tags of the greatest length, all escaped.
  static let longestRecord = 16 << 20

  init(
    _ name: String, in files: any JournalFileSystem, from offset: Int = 0, upTo limit: Int = .max,
    longestLine: Int = longestRecord
  ) throws(FileFault) {
    self.limit = limit
    self.files = files
    self.longestLine = longestLine
    file = try files.open(name, .read)
    buffer = [UInt8](repeating: 0, count: Self.chunk)
    self.offset = offset
  }

  consuming func close() { files.close(file) }

  /// Calls `body` with the next line, without its line feed, if there is one.
  mutating func next(_ body: (RawSpan) -> Void) throws(FileFault) -> Item {
    var searched = 0
    while true {
      if let end = lineFeed(from: unread.lowerBound + searched) {
        let line = unread.lowerBound..<end
        body(buffer.span.bytes.extracting(line))
        unread = end + 1..<unread.upperBound
        offset += line.count + 1
        return .line
      }
      searched = unread.count
      guard searched < longestLine else { return .tooLong }
      guard try fill() else { return .end(tornBytes: unread.count) }
    }
  }

  private func lineFeed(from start: Int) -> Int? {
    let end = unread.upperBound
    guard start < end else { return nil }
    return buffer.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = memchr(base + start, 0x0A, end - start) else {
        return nil
      }
      return base.distance(to: UnsafeRawPointer(found))
    }
  }

  /// Reads more behind what is unread; `false` at the end of the file.
  private mutating func fill() throws(FileFault) -> Bool {
    if unread.lowerBound > 0 {
      buffer.replaceSubrange(0..<unread.count, with: Array(buffer[unread]))
      unread = 0..<unread.count
    }
    if unread.upperBound == buffer.count {
      buffer.append(contentsOf: repeatElement(0, count: buffer.count))
    }
    let end = unread.upperBound
    let position = offset + end
    let room = min(buffer.count - end, limit - position)
    guard room > 0 else { return false }
    let result: Result<Int, FileFault> = buffer.withUnsafeMutableBytes { bytes in
      Result { () throws(FileFault) in
        try files.read(
          file, at: position, into: UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + room]))
      }
    }
    let count = try result.get()
    unread = 0..<end + count
    return count > 0
  }
}
