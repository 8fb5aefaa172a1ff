internal import Glibc
internal import Primitives

/// Holds a journal for one process, and says who holds it. The system lets go when the process ends, however it ends.
struct JournalLock: ~Copyable {
  private let files: any JournalFileSystem
  private let file: OpenFile

  private static let name = ".lock"

  /// - Parameter now: when the holder took it.
  init(in files: any JournalFileSystem, now: WallClockTime) throws(JournalOpenFailure) {
    let file = try JournalOpenFailure.wrapping { () throws(FileFault) in try files.open(Self.name, .write) }
    do throws(JournalOpenFailure) {
      try Self.claim(file, in: files, now: now)
    } catch {
      files.close(file)
      throw error
    }
    self.files = files
    self.file = file
  }

  /// Whether some process holds the journal now.
  static func isHeld(in files: any JournalFileSystem) throws(FileFault) -> Bool {
    guard try files.names().contains(name) else { return false }
    let file = try files.open(name, .read)
    let result = Result { () throws(FileFault) in try files.lock(file) }
    files.close(file)
    return try !result.get()
  }

  consuming func release() {
    // Nobody holds it any more; the lock itself ends with the descriptor.
    try? files.truncate(file, to: 0)
    files.close(file)
  }

  private static func claim(_ file: OpenFile, in files: any JournalFileSystem, now: WallClockTime)
    throws(JournalOpenFailure)
  {
    let holder = try JournalOpenFailure.wrapping { () throws(FileFault) -> [UInt8]? in
      guard try files.lock(file) else { return try files.contents(of: file, from: 0, limit: 256) ?? [] }
      try files.truncate(file, to: 0)
      try files.writeAll(file, named: name, at: 0, Array("pid \(getpid()) since \(now.rfc3339)\n".utf8))
      return nil
    }
    if let holder { throw .held(by: describe(holder)) }
  }

  private static func describe(_ holder: [UInt8]) -> String {
    let text = String(decoding: holder.prefix { $0 != 0x0A }, as: UTF8.self)
    return text.isEmpty ? "another process" : text
  }
}
