internal import AuditTrail
internal import OpenSSLCrypto

/// How the file `checkpoints` ends. However long the file is, only its end is read.
struct CheckpointTail {
  /// A line that may not be on disk, although it can be read.
  struct Line {
    let start: Int
    /// Without the line feed.
    let bytes: [UInt8]
  }

  /// Where the next line goes.
  private(set) var end = 0
  /// The last whole line; `nil` when there is none.
  private(set) var line: Line?
  /// What that says; `nil` when it cannot be read.
  private(set) var checkpoint: Checkpoint?
  private(set) var isSigned = false
  /// What was found and will be mended, for the log.
  private(set) var notices: [String] = []

  /// The digest that the next line names.
  var digest: SHA256Digest { line.map { SHA256.digest($0.bytes) } ?? Checkpoint.genesis }

  /// Holds more than two lines, which have some 600 bytes.
  private static let window = 8192

  init(in files: any JournalFileSystem) throws(FileFault) {
    guard try files.names().contains(Checkpoint.file) else { return }
    let file = try files.open(Checkpoint.file, .read)
    defer { files.close(file) }
    let size = try files.size(file)
    let start = max(0, size - Self.window)
    let bytes = try files.contents(of: file, from: start, limit: Self.window) ?? []
    guard var found = Self.lineBefore(bytes.count, in: bytes) else {
      // What is longer than a line was not left by a crash, and stays.
      if start > 0 {
        take(0..<bytes.count, of: bytes, from: start)
        end = size
      }
      return
    }
    if Checkpoint.isHole(bytes[found]) {
      notices = [
        "dropped the last line of \(Checkpoint.file): it was not yet on disk when the machine stopped"
      ]
      guard let before = Self.lineBefore(found.lowerBound, in: bytes) else { return }
      found = before
    }
    take(found, of: bytes, from: start)
  }

  private mutating func take(_ range: Range<Int>, of bytes: [UInt8], from start: Int) {
    let line = Array(bytes[range])
    self.line = Line(start: start + range.lowerBound, bytes: line)
    end = start + range.upperBound + 1
    let found = Checkpoint.read(line)
    checkpoint = found?.0
    isSigned = found?.signature != nil
  }

  /// The last line that ends before `end`.
  private static func lineBefore(_ end: Int, in bytes: [UInt8]) -> Range<Int>? {
    let feed = UInt8(ascii: "\n")
    guard let last = bytes[..<end].lastIndex(of: feed) else { return nil }
    return (bytes[..<last].lastIndex(of: feed).map { $0 + 1 } ?? 0)..<last
  }
}
