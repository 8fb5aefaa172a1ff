package import Configuration
internal import Glibc

/// Files and folders of the disk.
package struct DiskFiles: FileSource {
  /// No file that a person writes is near it; without a limit a wrong path could fill the memory.
  private static let largest = 64 << 20

  package init() {}

  package func read(_ path: String) throws(FileFault) -> FileContents {
    // Before it is opened, too: a device may do something then.
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileFault(errno: errno) }
    guard Self.isRegular(status) else { throw .notAFile }
    // A pipe that has taken its place since does not hold us up.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw FileFault(errno: errno) }
    defer { close(descriptor) }
    guard fstat(descriptor, &status) == 0 else { throw FileFault(errno: errno) }
    guard Self.isRegular(status) else { throw .notAFile }
    var medium = statvfs()
    let access = FileAccess(status, on: fstatvfs(descriptor, &medium) == 0 ? medium : nil)
    return FileContents(bytes: try Self.readAll(descriptor), access: access)
  }

  package func access(to directory: String) throws(FileFault) -> FileAccess {
    var status = stat()
    guard stat(directory, &status) == 0 else { throw FileFault(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory }
    var medium = statvfs()
    return FileAccess(status, on: statvfs(directory, &medium) == 0 ? medium : nil)
  }

  private static func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

  package func names(in directory: String) throws(FileFault) -> [String] {
    guard let handle = opendir(directory) else { throw FileFault(errno: errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  package func identity(of directory: String) throws(FileFault) -> String {
    var status = stat()
    guard stat(directory, &status) == 0 else { throw FileFault(errno: errno) }
    return "\(status.st_dev):\(status.st_ino)"
  }

  /// Everything from standard input.
  package static func readStandardInput() throws(FileFault) -> [UInt8] { try readAll(STDIN_FILENO) }

  /// Everything from where `descriptor` stands.
  package static func readAll(
    _ descriptor: Int32, upTo largest: Int = largest
  ) throws(FileFault) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileFault(errno: errno)
      }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      if bytes.count > largest { throw .tooLarge(limit: largest) }
    }
  }
}

extension FileAccess {
  fileprivate init(_ status: stat, on medium: statvfs?) {
    self.init(
      permissions: UInt16(truncatingIfNeeded: status.st_mode & 0o7777), isOwned: status.st_uid == geteuid(),
      isOfOurGroup: status.st_gid == getegid() || Self.groups.contains(status.st_gid),
      isOnReadOnlyMedium: medium.map { $0.f_flag & UInt(ST_RDONLY) != 0 } ?? false)
  }

  /// The supplementary ones of this process.
  private static var groups: [gid_t] {
    let count = getgroups(0, nil)
    guard count > 0 else { return [] }
    var groups = [gid_t](repeating: 0, count: Int(count))
    return Array(groups.prefix(Int(max(0, getgroups(count, &groups)))))
  }
}

extension FileFault {
  package init(errno code: Int32) {
    self =
      switch code {
      case ENOENT: .missing
      case EACCES, EPERM: .notPermitted
      case EISDIR, ENXIO, ENODEV: .notAFile
      case ENOTDIR: .notADirectory
      case ELOOP: .linkLoop
      default: .failed(String(cString: strerror(code)))
      }
  }
}
