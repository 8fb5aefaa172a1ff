internal import Glibc
internal import OpenSSLCrypto
internal import Primitives

/// A folder that is written into by name, while others may plant what they like in it: no link in it is followed, a new
/// file is one that nobody could have made before, and nothing but a regular file is written over.
package final class WritableFolder {
  /// As it was given; what is said about it begins with it.
  package let path: String
  let descriptor: Int32

  /// - Parameters:
  ///   - creating: whether it, and those above it, are made for their owner only when they are not there.
  ///   - followingLinks: whether it may be a link itself, as one that a configuration names may be.
  package convenience init(
    _ path: String, creating: Bool, followingLinks: Bool = false
  ) throws(WritingFailure) {
    var path = path
    // With a slash at its end a link would be followed.
    while path.utf8.count > 1, path.last == "/" { path.removeLast() }
    if creating { try Self.makeFolders(above: path) }
    try self.init(path, at: AT_FDCWD, name: path, creating: creating, links: followingLinks ? 0 : O_NOFOLLOW)
  }

  /// A folder in this one, which is made when it is not there.
  package func folder(_ name: String) throws(WritingFailure) -> WritableFolder {
    try WritableFolder("\(path)/\(name)", at: descriptor, name: name, creating: true)
  }

  /// - Returns: `nil` when there is none.
  package func folderIfThere(_ name: String) throws(WritingFailure) -> WritableFolder? {
    guard try kind(of: name) != nil else { return nil }
    return try WritableFolder("\(path)/\(name)", at: descriptor, name: name, creating: false)
  }

  private init(
    _ path: String, at parent: Int32, name: String, creating: Bool, links: Int32 = O_NOFOLLOW
  ) throws(WritingFailure) {
    self.path = path
    if creating, mkdirat(parent, name, 0o700) != 0, errno != EEXIST { throw WritingFailure(path, errno) }
    descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | links | O_CLOEXEC)
    guard descriptor < 0 else { return }
    let code = errno
    throw Self.kind(of: name, at: parent) == S_IFLNK ? .link(path) : WritingFailure(path, code)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private static func makeFolders(above path: String) throws(WritingFailure) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/").dropLast() {
      made += made.isEmpty || made == "/" ? part : "/\(part)"
      // What is there may be a link: the way to the folder is whoever's who names it.
      guard mkdir(made, 0o700) == 0 || errno == EEXIST || errno == EROFS else {
        throw WritingFailure(made, errno)
      }
      var status = stat()
      guard stat(made, &status) == 0 else { throw WritingFailure(made, errno) }
      guard status.st_mode & S_IFMT == S_IFDIR else { throw WritingFailure(made, ENOTDIR) }
    }
  }

  /// What has that name, without following it.
  private static func kind(of name: String, at directory: Int32) -> mode_t? {
    var status = stat()
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode & S_IFMT : nil
  }

  private func kind(of name: String) throws(WritingFailure) -> mode_t? {
    let kind = Self.kind(of: name, at: descriptor)
    guard kind != nil || errno == ENOENT else { throw WritingFailure("\(path)/\(name)", errno) }
    return kind
  }

  /// Whether a file can get that name: nothing has it, or a regular file does.
  func check(_ name: String) throws(WritingFailure) {
    switch try kind(of: name) {
    case nil, S_IFREG?: return
    case S_IFLNK?: throw .link("\(path)/\(name)")
    case S_IFDIR?: throw WritingFailure("\(path)/\(name)", EISDIR)
    default: throw WritingFailure("\(path)/\(name): not a regular file, which alone is written over")
    }
  }
}

extension WritableFolder {
  /// The names in it, in any order.
  package func names() throws(WritingFailure) -> [String] {
    // A descriptor of its own, because reading moves its position.
    let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0, let stream = fdopendir(own) else { throw WritingFailure(path, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Whether there is a folder of that name, which is no link.
  package func hasFolder(_ name: String) throws(WritingFailure) -> Bool { try kind(of: name) == S_IFDIR }

  /// What a regular file holds.
  /// - Returns: `nil` when nothing has that name.
  package func read(_ name: String, limit: Int) throws(WritingFailure) -> [UInt8]? {
    guard try kind(of: name) != nil else { return nil }
    try check(name)
    let place = "\(path)/\(name)"
    let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw WritingFailure(place, errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw WritingFailure(place, errno) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw WritingFailure("\(place): longer than \(limit) bytes") }
    }
  }

  /// Takes a name away, if it is there; of a link the link.
  package func remove(_ name: String) throws(WritingFailure) {
    guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
      throw WritingFailure("\(path)/\(name)", errno)
    }
  }

  /// Returns when the names in it are on disk.
  package func synchronize() throws(WritingFailure) {
    guard fsync(descriptor) == 0 else { throw WritingFailure(path, errno) }
  }

  /// Waits until nobody else holds it; the lock ends with this value.
  package func lock() throws(WritingFailure) {
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw WritingFailure(path, errno) }
    }
  }
}

/// A file or folder cannot be read or written.
package struct WritingFailure: Error, Sendable, Hashable {
  /// The path and what is wrong with it.
  package let message: String

  package init(_ message: String) { self.message = message }

  init(_ path: String, _ code: Int32) {
    let reason =
      switch code {
      case ENOTDIR: "not a directory"
      case EISDIR: "a directory has that name"
      default: strerror(code).map { String(cString: $0) } ?? "error \(code)"
      }
    self.init("\(path): \(reason)")
  }

  static func link(_ path: String) -> WritingFailure {
    WritingFailure("\(path): a symbolic link, which is not followed")
  }
}
