package import AuditStore

/// A file system that does what another does, but for what it does itself.
package protocol DelegatingFileSystem: JournalFileSystem {
  var files: ScriptedFileSystem { get }
}

extension DelegatingFileSystem {
  package func names() throws(FileFault) -> [String] { try files.names() }
  package func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    try files.open(name, mode)
  }
  package func size(_ file: OpenFile) throws(FileFault) -> Int { try files.size(file) }
  package func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(FileFault)
    -> Int
  { try files.read(file, at: offset, into: buffer) }
  package func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault)
    -> Int
  {
    try files.write(file, at: offset, bytes)
  }
  package func synchronize(_ file: OpenFile) throws(FileFault) { try files.synchronize(file) }
  package func truncate(_ file: OpenFile, to size: Int) throws(FileFault) {
    try files.truncate(file, to: size)
  }
  package func synchronizeDirectory() throws(FileFault) { try files.synchronizeDirectory() }
  package func remove(_ name: String) throws(FileFault) { try files.remove(name) }
  package func rename(_ name: String, to new: String) throws(FileFault) { try files.rename(name, to: new) }
  package func modificationTime(_ name: String) throws(FileFault) -> Int64 {
    try files.modificationTime(name)
  }
  package func identity(_ file: OpenFile) throws(FileFault) -> FileIdentity { try files.identity(file) }
  package func place(of name: String) -> FilePlace { files.place(of: name) }
  package func find(_ place: FilePlace) throws(FileFault) -> FoundFile? { try files.find(place) }
  package func isInPlace() throws(FileFault) -> Bool { try files.isInPlace() }
  package func freeBytes() throws(FileFault) -> Int { try files.freeBytes() }
  package func close(_ file: OpenFile) { files.close(file) }
  package func lock() throws(FileFault) -> Bool { try files.lock() }
  package func unlock() { files.unlock() }
}
