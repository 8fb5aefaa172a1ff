internal import AuditTrail
internal import Glibc

/// What the journal needs of a file system, in one directory. The real one is `PosixFileSystem`; tests script failures.
package protocol JournalFileSystem: Sendable {
  /// The names in the directory, in any order.
  func names() throws(FileFault) -> [String]
  func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile
  func size(_ file: OpenFile) throws(FileFault) -> Int
  /// - Returns: how many bytes were read; 0 at the end.
  func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(FileFault) -> Int
  /// - Returns: how many bytes were written, which may be fewer than asked for.
  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int
  /// Returns when what was written is on disk (fdatasync).
  func synchronize(_ file: OpenFile) throws(FileFault)
  func truncate(_ file: OpenFile, to size: Int) throws(FileFault)
  /// Returns when the directory's entries are on disk.
  func synchronizeDirectory() throws(FileFault)
  func remove(_ name: String) throws(FileFault)
  /// Gives a file another name; a file that has that name is removed. A crash leaves one or the other.
  func rename(_ name: String, to newName: String) throws(FileFault)
  /// When the file was last written, in seconds since 1970.
  func modificationTime(_ name: String) throws(FileFault) -> Int64
  func identity(_ file: OpenFile) throws(FileFault) -> FileIdentity
  /// Where whoever comes by the directory's path looks for this name.
  func place(of name: String) -> FilePlace
  /// The file that is found there; `nil`: none.
  func find(_ place: FilePlace) throws(FileFault) -> FoundFile?
  /// Whether whoever comes by the directory's path finds this directory.
  func isInPlace() throws(FileFault) -> Bool
  /// Bytes that files of ours can still take.
  func freeBytes() throws(FileFault) -> Int
  func close(_ file: OpenFile)
  /// Takes the directory's lock, which ends with the process. It is no file's, so nobody can remove it.
  /// - Returns: whether nobody else holds it.
  func lock() throws(FileFault) -> Bool
  func unlock()
}

package enum OpenMode: Sendable, Hashable {
  case read
  /// To read and write; the file is made, readable by its owner only, when there is none.
  case write
  /// The same, but whatever is written goes to the file's end, wherever somebody else has put that.
  case append
}

/// An open file; whoever opened it must give it to `close`.
package struct OpenFile: Sendable {
  package let descriptor: Int32

  package init(descriptor: Int32) { self.descriptor = descriptor }
}

/// What makes a file another than one of the same name.
package struct FileIdentity: Sendable, Hashable {
  package let device: UInt64
  package let number: UInt64

  package init(device: UInt64, number: UInt64) {
    self.device = device
    self.number = number
  }
}

/// A name in a directory, with its path as the system takes it: it is asked for after every batch.
package final class FilePlace: Sendable {
  package let name: String
  package let path: [CChar]

  package init(name: String, path: String) {
    self.name = name
    self.path = Array(path.utf8CString)
  }
}

package struct FoundFile: Sendable, Hashable {
  package let identity: FileIdentity
  package let size: Int

  package init(identity: FileIdentity, size: Int) {
    self.identity = identity
    self.size = size
  }
}

/// What the operating system refused.
package struct FileFault: Error, Sendable, Hashable {
  package enum Operation: String, Sendable {
    case makeDirectory = "mkdir"
    case list = "readdir"
    case open, size = "fstat", read, write, synchronize = "fdatasync", truncate = "ftruncate"
    case remove = "unlink"
    case rename
    case lock = "flock"
    case find = "stat"
    case space = "statvfs"
    /// It is not where it was opened, as `code` says.
    case displaced
  }

  package let operation: Operation
  /// The file's name in the directory, or the directory's path.
  package let name: String
  /// `errno`
  package let code: Int32

  package init(_ operation: Operation, _ name: String, code: Int32) {
    self.operation = operation
    self.name = name
    self.code = code
  }
}

extension FileFault {
  /// Of a segment that was listed: whether retention has removed it since.
  var isExpiry: Bool { operation == .open && code == ENOENT && SegmentName(file: name) != nil }
}

extension JournalFileSystem {
  /// Writes all of `bytes`, however many calls it takes.
  func writeAll(_ file: OpenFile, named name: String, at offset: Int, _ bytes: [UInt8]) throws(FileFault) {
    try bytes.withUnsafeBytes { buffer in
      Result { () throws(FileFault) in try writeAll(file, named: name, at: offset, buffer) }
    }.get()
  }

  /// Writes the lines from an offset on.
  func writeAll(
    _ file: OpenFile, named name: String, at offset: Int, _ lines: borrowing ChainedLines, from start: Int = 0
  ) throws(FileFault) {
    try lines.withBytes(from: start) { buffer in
      Result { () throws(FileFault) in try writeAll(file, named: name, at: offset, buffer) }
    }.get()
  }

  private func writeAll(_ file: OpenFile, named name: String, at offset: Int, _ bytes: UnsafeRawBufferPointer)
    throws(FileFault)
  {
    var done = 0
    while done < bytes.count {
      let written = try write(file, at: offset + done, UnsafeRawBufferPointer(rebasing: bytes[done...]))
      // Only a file system that breaks its promise writes nothing; trying for ever would hang the journal.
      guard written > 0 else { throw FileFault(.write, name, code: 0) }
      done += written
    }
  }

  /// Writes what stands before `end` once more, so that the next synchronisation covers it.
  func rewrite(_ name: String, upTo end: Int) throws(FileFault) {
    let file = try open(name, .write)
    defer { close(file) }
    var done = 0
    while done < end {
      var chunk = [UInt8](repeating: 0, count: min(1 << 20, end - done))
      let count = try readPart(file, at: done, into: &chunk, from: 0)
      // It was longer a moment ago.
      guard count > 0 else { throw FileFault(.read, name, code: 0) }
      chunk.removeLast(chunk.count - count)
      try writeAll(file, named: name, at: done, chunk)
      done += count
    }
  }

  func find(_ name: String) throws(FileFault) -> FoundFile? { try find(place(of: name)) }

  func size(of name: String) throws(FileFault) -> Int {
    let file = try open(name, .read)
    defer { close(file) }
    return try size(file)
  }

  /// The whole file; `nil` when it is longer than `limit`.
  func contents(of name: String, limit: Int) throws(FileFault) -> [UInt8]? {
    let file = try open(name, .read)
    let result = Result { () throws(FileFault) in try contents(of: file, from: 0, limit: limit) }
    close(file)
    return try result.get()
  }

  /// What stands from `offset` on; `nil` when that is longer than `limit`.
  func contents(of file: OpenFile, from offset: Int, limit: Int) throws(FileFault) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: min(limit, max(0, try size(file) - offset)) + 1)
    var count = 0
    while count < bytes.count {
      let read = try readPart(file, at: offset + count, into: &bytes, from: count)
      guard read > 0 else { break }
      count += read
    }
    guard count <= limit else { return nil }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// So many bytes from `offset` on, which must be there.
  func contents(of file: OpenFile, from offset: Int, count: Int) throws(FileFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let read = try readPart(file, at: offset + done, into: &bytes, from: done)
      // It was longer a moment ago.
      guard read > 0 else { throw FileFault(.read, "", code: 0) }
      done += read
    }
    return bytes
  }

  /// The line that ends at `end`, without its line feed; `nil` when none does.
  func lastLine(of file: OpenFile, before end: Int) throws(FileFault) -> [UInt8]? {
    let start = max(0, end - longestLine)
    let bytes = try contents(of: file, from: start, count: end - start)
    guard bytes.last == 0x0A else { return nil }
    return bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).last.map { Array($0) }
  }

  /// Of those that older versions wrote.
  private var longestLine: Int { 1 << 20 }

  private func readPart(
    _ file: OpenFile, at offset: Int, into bytes: inout [UInt8], from start: Int
  ) throws(FileFault) -> Int {
    let result: Result<Int, FileFault> = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(FileFault) in
        try read(file, at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
      }
    }
    return try result.get()
  }
}
