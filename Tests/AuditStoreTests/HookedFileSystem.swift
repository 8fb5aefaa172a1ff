import Synchronization

@testable import AuditStore

/// A file system on which something happens just before a file is opened for the first time.
final class HookedFileSystem: JournalFileSystem {
  private let files: ScriptedFileSystem
  private let name: String
  private let hook: Mutex<(@Sendable () throws -> Void)?>

  init(_ files: ScriptedFileSystem, beforeOpening name: String, _ hook: @escaping @Sendable () throws -> Void)
  {
    self.files = files
    self.name = name
    self.hook = Mutex(hook)
  }

  func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    if name == self.name, let hook = hook.withLock({ $0.take() }) {
      do { try hook() } catch { throw FileFault(.open, "hook: \(error)", code: 0) }
    }
    return try files.open(name, mode)
  }

  func names() throws(FileFault) -> [String] { try files.names() }
  func size(_ file: OpenFile) throws(FileFault) -> Int { try files.size(file) }
  func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(FileFault) -> Int
  { try files.read(file, at: offset, into: buffer) }
  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int {
    try files.write(file, at: offset, bytes)
  }
  func synchronize(_ file: OpenFile) throws(FileFault) { try files.synchronize(file) }
  func truncate(_ file: OpenFile, to size: Int) throws(FileFault) { try files.truncate(file, to: size) }
  func synchronizeDirectory() throws(FileFault) { try files.synchronizeDirectory() }
  func remove(_ name: String) throws(FileFault) { try files.remove(name) }
  func modificationTime(_ name: String) throws(FileFault) -> Int64 { try files.modificationTime(name) }
  func close(_ file: OpenFile) { files.close(file) }
  func lock() throws(FileFault) -> Bool { try files.lock() }
  func unlock() { files.unlock() }
}
