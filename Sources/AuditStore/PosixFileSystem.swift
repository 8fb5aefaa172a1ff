internal import Glibc

/// A directory of the machine's file system.
package final class PosixFileSystem: JournalFileSystem {
  /// The directory's path, as it was given.
  package let path: String
  private let directory: Int32

  /// Opens the directory.
  /// - Parameter creating: whether it is made, for its owner only, when there is none.
  package init(_ path: String, creating: Bool) throws(FileFault) {
    self.path = path
    let isNew = creating && mkdir(path, 0o700) == 0
    if creating, !isNew, errno != EEXIST { throw FileFault(.makeDirectory, path, code: errno) }
    directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw FileFault(.open, path, code: errno) }
    if isNew { try synchronizeParent() }
  }

  /// Without this a power cut may take the directory away, and with it what was synchronised in it.
  private func synchronizeParent() throws(FileFault) {
    let parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw FileFault(.open, path + "/..", code: errno) }
    defer { _ = Glibc.close(parent) }
    guard fsync(parent) == 0 else { throw FileFault(.synchronize, path + "/..", code: errno) }
  }

  deinit { _ = Glibc.close(directory) }

  package func names() throws(FileFault) -> [String] {
    // A descriptor of its own, because reading moves its position.
    let descriptor = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      throw FileFault(.list, path, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw FileFault(.list, path, code: errno) }
    return names
  }

  package func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    let flags =
      switch mode {
      case .read: O_RDONLY | O_NOFOLLOW
      case .write: O_RDWR | O_CREAT | O_NOFOLLOW
      // On Linux it holds for pwrite as well (pwrite(2), Bugs).
      case .append: O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW
      }
    let descriptor = try Self.retrying(.open, name) {
      Int(openat(directory, name, flags | O_CLOEXEC, 0o600))
    }
    return OpenFile(descriptor: Int32(descriptor))
  }

  package func size(_ file: OpenFile) throws(FileFault) -> Int {
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else { throw FileFault(.size, path, code: errno) }
    return Int(status.st_size)
  }

  package func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(FileFault) -> Int
  {
    let descriptor = file.descriptor
    return try Self.retrying(.read, path) {
      pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
  }

  package func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer)
    throws(FileFault) -> Int
  {
    let descriptor = file.descriptor
    return try Self.retrying(.write, path) {
      pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    }
  }

  package func synchronize(_ file: OpenFile) throws(FileFault) {
    // Not tried again, whatever it says: after a failure the kernel may take lost pages for written.
    guard fdatasync(file.descriptor) == 0 else { throw FileFault(.synchronize, path, code: errno) }
  }

  package func truncate(_ file: OpenFile, to size: Int) throws(FileFault) {
    let descriptor = file.descriptor
    _ = try Self.retrying(.truncate, path) { Int(ftruncate(descriptor, off_t(size))) }
  }

  package func synchronizeDirectory() throws(FileFault) {
    guard fsync(directory) == 0 else { throw FileFault(.synchronize, path, code: errno) }
  }

  package func remove(_ name: String) throws(FileFault) {
    guard unlinkat(directory, name, 0) == 0 else { throw FileFault(.remove, name, code: errno) }
  }

  package func rename(_ name: String, to newName: String) throws(FileFault) {
    guard renameat(directory, name, directory, newName) == 0 else {
      throw FileFault(.rename, name, code: errno)
    }
  }

  package func modificationTime(_ name: String) throws(FileFault) -> Int64 {
    var status = stat()
    guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw FileFault(.size, name, code: errno)
    }
    return Int64(status.st_mtim.tv_sec)
  }

  package func identity(_ file: OpenFile) throws(FileFault) -> FileIdentity {
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else { throw FileFault(.size, path, code: errno) }
    return FileIdentity(status)
  }

  package func place(of name: String) -> FilePlace { FilePlace(name: name, path: "\(path)/\(name)") }

  package func find(_ place: FilePlace) throws(FileFault) -> FoundFile? {
    try Self.find(place.path, following: false).map {
      FoundFile(identity: FileIdentity($0), size: Int($0.st_size))
    }
  }

  package func isInPlace() throws(FileFault) -> Bool {
    try Self.find(Array(path.utf8CString), following: true).map { FileIdentity($0) }
      == (try identity(OpenFile(descriptor: directory)))
  }

  private static func find(_ path: [CChar], following: Bool) throws(FileFault) -> stat? {
    var status = stat()
    guard fstatat(AT_FDCWD, path, &status, following ? 0 : AT_SYMLINK_NOFOLLOW) != 0 else { return status }
    guard errno == ENOENT || errno == ENOTDIR else {
      throw FileFault(
        .find, String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self), code: errno)
    }
    return nil
  }

  package func freeBytes() throws(FileFault) -> Int {
    var status = statvfs()
    guard fstatvfs(directory, &status) == 0 else { throw FileFault(.space, path, code: errno) }
    return Int(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
  }

  package func close(_ file: OpenFile) {
    // Everything that matters was synchronised; what close reports cannot be acted upon.
    _ = Glibc.close(file.descriptor)
  }

  package func lock() throws(FileFault) -> Bool {
    while flock(directory, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return false
      default: throw FileFault(.lock, path, code: errno)
      }
    }
    return true
  }

  package func unlock() { _ = flock(directory, LOCK_UN) }

  /// The one place that knows EINTR.
  private static func retrying(_ operation: FileFault.Operation, _ name: String, _ call: () -> Int)
    throws(FileFault) -> Int
  {
    while true {
      let result = call()
      if result >= 0 { return result }
      guard errno == EINTR else { throw FileFault(operation, name, code: errno) }
    }
  }
}

extension FileIdentity {
  fileprivate init(_ status: stat) {
    self.init(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }
}

extension FileFault: CustomStringConvertible {
  /// `write journal-….jsonl: No space left on device`
  package var description: String {
    if operation == .displaced { return Displacement(code: code).description(of: name) }
    let reason =
      code == 0 ? "nothing was written" : strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return "\(operation.rawValue) \(name): \(reason)"
  }
}
