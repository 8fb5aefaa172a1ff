import Configuration
import Gateway
import Glibc

/// Replaces the tenants file as a whole, so that a reader sees the old file or the new one, and never a part.
struct TenantsFileEditor {
  let path: String

  /// Writes what `edit` makes of the file's bytes; `nil` stands for a file that is not there. Commands that edit at
  /// the same time wait for each other.
  func edit(_ edit: ([UInt8]?) throws -> [UInt8]) throws {
    let target = resolved
    let folder = target.folder
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw fault(errno, at: folder) }
    // Closing it gives up the lock.
    defer { close(directory) }
    while flock(directory, LOCK_EX) != 0 {
      guard errno == EINTR else { throw fault(errno, at: folder) }
    }
    let replacement = try edit(try current(target))
    try replace(target, with: replacement)
    // The new name is on disk only once its folder is.
    guard fsync(directory) == 0 else { throw fault(errno, at: folder) }
  }

  /// The file itself when the path is a symbolic link: replacing the link would leave its target behind.
  private var resolved: String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private func current(_ target: String) throws -> [UInt8]? {
    do throws(FileFault) {
      return try DiskFiles().read(target).bytes
    } catch {
      if error == .missing { return nil }
      throw CommandFailure(.configuration, "\(target): \(error.message)")
    }
  }

  private func replace(_ target: String, with bytes: [UInt8]) throws {
    let temporary = "\(target).\(getpid()).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw fault(errno, at: temporary) }
    do {
      defer { close(descriptor) }
      try write(bytes, to: descriptor, at: temporary)
      keepOwner(of: target, on: descriptor)
      guard fsync(descriptor) == 0 else { throw fault(errno, at: temporary) }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, target) == 0 else {
      let code = errno
      unlink(temporary)
      throw fault(code, at: target)
    }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32, at path: String) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw fault(errno, at: path)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// When root edits the file of the gateway's user, that user must still be able to read it. Only root can give
  /// files away, so for anyone else nothing changes.
  private func keepOwner(of target: String, on descriptor: Int32) {
    var status = stat()
    if stat(target, &status) == 0 { _ = fchown(descriptor, status.st_uid, status.st_gid) }
  }

  private func fault(_ code: Int32, at path: String) -> CommandFailure {
    CommandFailure(.bad, "\(path): \(FileFault(errno: code).message)")
  }
}

extension String {
  fileprivate var folder: String {
    guard let slash = lastIndex(of: "/") else { return "." }
    return slash == startIndex ? "/" : String(self[..<slash])
  }
}
