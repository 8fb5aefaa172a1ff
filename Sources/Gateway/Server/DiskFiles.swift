package import Configuration
internal import Glibc

/// Files and folders of the disk.
package struct DiskFiles: FileSource {
  /// No file that a person writes is near it; without a limit a wrong path could fill the memory.
  private static let largest = 64 << 20

  package init() {}

  package func read(_ path: String) throws(FileFault) -> FileContents {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFault(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileFault(errno: errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw .notAFile }
    return FileContents(
      bytes: try Self.readAll(descriptor), permissions: UInt16(truncatingIfNeeded: status.st_mode & 0o7777))
  }

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

  private static func readAll(_ descriptor: Int32) throws(FileFault) -> [UInt8] {
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

extension FileFault {
  package init(errno code: Int32) {
    self =
      switch code {
      case ENOENT: .missing
      case EACCES, EPERM: .notPermitted
      case EISDIR: .notAFile
      case ENOTDIR: .notADirectory
      case ELOOP: .linkLoop
      default: .failed(String(cString: strerror(code)))
      }
  }
}
