internal import Glibc
internal import Primitives

/// Holds a journal for one process. The system lets go when the process ends, however it ends.
///
/// What is locked is the directory; the file `.lock` only says who holds it.
struct JournalLock: ~Copyable {
  private let files: any JournalFileSystem

  private static let name = ".lock"
  /// Whoever looks whether the journal is held holds it for some microseconds.
  private static let tries = 20

  /// - Parameter now: when the holder took it.
  init(in files: any JournalFileSystem, now: WallClockTime) throws(JournalOpenFailure) {
    try JournalOpenFailure.wrapping { () throws(FileFault) -> Result<Void, JournalOpenFailure> in
      guard try Self.take(in: files) else { return .failure(.held(by: try Self.holder(in: files))) }
      do throws(FileFault) {
        try Self.write("pid \(getpid()) since \(now.rfc3339)\n", in: files)
      } catch {
        files.unlock()
        throw error
      }
      return .success(())
    }.get()
    self.files = files
  }

  /// Whether some process holds the journal now.
  static func isHeld(in files: any JournalFileSystem) throws(FileFault) -> Bool {
    guard try files.lock() else { return true }
    files.unlock()
    return false
  }

  consuming func release() {
    // Nobody holds it any more, so nothing need be said, and nothing can be done if it cannot be.
    try? Self.write("", in: files)
    files.unlock()
  }

  private static func take(in files: any JournalFileSystem) throws(FileFault) -> Bool {
    for _ in 1..<tries {
      if try files.lock() { return true }
      usleep(5000)
    }
    return try files.lock()
  }

  private static func write(_ text: String, in files: any JournalFileSystem) throws(FileFault) {
    let file = try files.open(name, .write)
    defer { files.close(file) }
    try files.truncate(file, to: 0)
    try files.writeAll(file, named: name, at: 0, Array(text.utf8))
  }

  private static func holder(in files: any JournalFileSystem) throws(FileFault) -> String {
    guard try files.names().contains(name) else { return "another process" }
    let text = try files.contents(of: name, limit: 256) ?? []
    let line = String(decoding: text.prefix { $0 != 0x0A }, as: UTF8.self)
    return line.isEmpty ? "another process" : line
  }
}
