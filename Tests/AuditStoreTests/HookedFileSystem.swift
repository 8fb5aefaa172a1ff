import Synchronization
import TestSupport

@testable import AuditStore

/// A file system on which something happens just before a file is opened for the first time.
final class HookedFileSystem: DelegatingFileSystem {
  let files: ScriptedFileSystem
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
}
