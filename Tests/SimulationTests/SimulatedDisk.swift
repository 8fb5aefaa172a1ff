import AuditStore
import Glibc
import TestSupport

/// The journal's disk: what `ScriptedFileSystem` does to it, and time that passes while it writes.
///
/// `@unchecked Sendable`: everything of a simulation is on one thread.
final class SimulatedDisk: DelegatingFileSystem, @unchecked Sendable {
  let files: ScriptedFileSystem
  /// Called before what a disk needs time for; the rest of the world goes on in it.
  var busy: () -> Void = {}
  /// A synchronisation has failed: with `interval`, what was acknowledged may be in memory only for a while.
  private(set) var hasFailed = false

  init(_ files: ScriptedFileSystem) { self.files = files }

  /// The machine or the process has ended: nothing has an effect any more.
  func die() { files.stop(after: 0) }

  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int {
    busy()
    return try files.write(file, at: offset, bytes)
  }

  func synchronize(_ file: OpenFile) throws(FileFault) {
    busy()
    do throws(FileFault) {
      try files.synchronize(file)
    } catch {
      hasFailed = true
      throw error
    }
  }

  func synchronizeDirectory() throws(FileFault) {
    busy()
    try files.synchronizeDirectory()
  }
}
