internal import Glibc
internal import OpenSSLCrypto
internal import Primitives

/// A file that gets its name when it is complete, so that whoever reads it sees the one before or this one, and never a
/// part. Until then it has a name that nobody can guess, and it is for its owner only.
package struct NewFile: ~Copyable {
  private let folder: WritableFolder
  private let name: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  private static let chunk = 256 * 1024
  private static let mostTries = 8

  package init(_ name: String, in folder: WritableFolder) throws(WritingFailure) {
    let (temporary, descriptor) = try Self.make(name, in: folder)
    self.folder = folder
    self.name = name
    self.temporary = temporary
    self.descriptor = descriptor
  }

  private static func make(
    _ name: String, in folder: WritableFolder
  ) throws(WritingFailure) -> (temporary: String, descriptor: Int32) {
    try folder.check(name)
    for _ in 0..<mostTries {
      let temporary = ".\(name.prefix(40)).\(Hex.encode(randomBytes(16))).partial"
      let descriptor = openat(
        folder.descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      if descriptor >= 0 { return (temporary, descriptor) }
      guard errno == EEXIST else { break }
    }
    throw WritingFailure("\(folder.path)/\(name)", errno)
  }

  /// Takes it away again, unless `finish` has given it its name.
  deinit {
    close(descriptor)
    unlinkat(folder.descriptor, temporary, 0)
  }

  package mutating func write(_ bytes: [UInt8]) throws(WritingFailure) {
    buffer += bytes
    if buffer.count >= Self.chunk { try flush() }
  }

  /// Gives it to the owner of the file whose name it gets. Only root can, so for anyone else nothing changes.
  package func keepOwner() {
    var status = stat()
    if fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
      _ = fchown(descriptor, status.st_uid, status.st_gid)
    }
  }

  /// Returns when what it holds is on disk, under its name. A link that got that name meanwhile is replaced, not followed.
  package mutating func finish() throws(WritingFailure) {
    try flush()
    try folder.check(name)
    guard fsync(descriptor) == 0, renameat(folder.descriptor, temporary, folder.descriptor, name) == 0 else {
      throw fault()
    }
  }

  private mutating func flush() throws(WritingFailure) {
    var rest = buffer[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw fault()
      }
      rest = rest.dropFirst(count)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func fault() -> WritingFailure { WritingFailure("\(folder.path)/\(name)", errno) }
}
