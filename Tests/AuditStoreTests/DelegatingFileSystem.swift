@testable import AuditStore

/// A file system that does what another does, but for what it does itself.
protocol DelegatingFileSystem: JournalFileSystem {
  var files: ScriptedFileSystem { get }
}

extension DelegatingFileSystem {
  func names() throws(FileFault) -> [String] { try files.names() }
  func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile { try files.open(name, mode) }
  func size(_ file: OpenFile) throws(FileFault) -> Int { try files.size(file) }
  func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault)
    -> Int
  { try files.read(file, at: offset, into: buffer) }
  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int {
    try files.write(file, at: offset, bytes)
  }
  func synchronize(_ file: OpenFile) throws(FileFault) { try files.synchronize(file) }
  func truncate(_ file: OpenFile, to size: Int) throws(FileFault) { try files.truncate(file, to: size) }
  func synchronizeDirectory() throws(FileFault) { try files.synchronizeDirectory() }
  func remove(_ name: String) throws(FileFault) { try files.remove(name) }
  func rename(_ name: String, to new: String) throws(FileFault) { try files.rename(name, to: new) }
  func modificationTime(_ name: String) throws(FileFault) -> Int64 { try files.modificationTime(name) }
  func identity(_ file: OpenFile) throws(FileFault) -> FileIdentity { try files.identity(file) }
  func place(of name: String) -> FilePlace { files.place(of: name) }
  func find(_ place: FilePlace) throws(FileFault) -> FoundFile? { try files.find(place) }
  func isInPlace() throws(FileFault) -> Bool { try files.isInPlace() }
  func freeBytes() throws(FileFault) -> Int { try files.freeBytes() }
  func close(_ file: OpenFile) { files.close(file) }
  func lock() throws(FileFault) -> Bool { try files.lock() }
  func unlock() { files.unlock() }
}
