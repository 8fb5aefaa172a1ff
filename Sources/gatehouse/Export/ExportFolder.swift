import Configuration
import Glibc

/// The folder that an export writes into. A file appears there whole, or not at all.
struct ExportFolder {
  let path: String

  /// Makes the folder, and those above it, when they are not there.
  init(_ path: String) throws(CommandFailure) {
    self.path = path
    try Self.makeFolders(path)
  }

  /// Writes a whole file under `name`, which may have folders in it.
  func write(_ bytes: [UInt8], as name: String) throws(CommandFailure) {
    var file = try open(name)
    try file.write(bytes)
    try file.finish()
  }

  /// A file to be written piece by piece.
  func open(_ name: String) throws(CommandFailure) -> ExportFile {
    let target = "\(path)/\(name)"
    if name.contains("/"), let slash = target.lastIndex(of: "/") {
      try Self.makeFolders(String(target[..<slash]))
    }
    return try ExportFile(target)
  }

  /// - Returns: `nil` when there is no such file.
  func read(_ name: String) throws(CommandFailure) -> [UInt8]? {
    do throws(FileFault) {
      return try DiskFiles().read("\(path)/\(name)").bytes
    } catch {
      guard error != .missing else { return nil }
      throw CommandFailure(.bad, "\(path)/\(name): \(error.message)")
    }
  }

  /// Removes a file, if it is there.
  func remove(_ name: String) throws(CommandFailure) {
    guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
      throw CommandFailure(.bad, "\(path)/\(name): \(FileFault(errno: errno).message)")
    }
  }

  /// The last file in `folder` and the folders in it, in the order of their paths, before `limit`.
  func last(in folder: String, before limit: String, ending suffix: String) throws(CommandFailure) -> String?
  {
    let names: [String]
    do throws(FileFault) {
      names = try DiskFiles().names(in: "\(path)/\(folder)")
    } catch {
      // No folder, or a file.
      if error == .missing || error == .notADirectory { return nil }
      throw CommandFailure(.bad, "\(path)/\(folder): \(error.message)")
    }
    for name in names.sorted().reversed() {
      let found = "\(folder)/\(name)"
      if found.hasSuffix(suffix), found < limit { return found }
      if !name.contains("."), let inside = try last(in: found, before: limit, ending: suffix) {
        return inside
      }
    }
    return nil
  }

  private static func makeFolders(_ path: String) throws(CommandFailure) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made == "/" ? part : "/\(part)"
      // The journal is for its owner, and so is what is made of it.
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
        throw CommandFailure(.bad, "\(made): \(FileFault(errno: errno).message)")
      }
      var status = stat()
      guard stat(made, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw CommandFailure(.bad, "\(made): \(FileFault.notADirectory.message)")
      }
    }
  }
}

/// A file that gets its name when it is complete.
struct ExportFile: ~Copyable {
  private let target: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  private static let chunk = 256 * 1024

  fileprivate init(_ target: String) throws(CommandFailure) {
    self.target = target
    temporary = "\(target).\(getpid()).partial"
    descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandFailure(.bad, "\(temporary): \(FileFault(errno: errno).message)")
    }
  }

  /// Does nothing when `finish` has given it its name.
  deinit {
    close(descriptor)
    unlink(temporary)
  }

  mutating func write(_ bytes: [UInt8]) throws(CommandFailure) {
    buffer += bytes
    if buffer.count >= Self.chunk { try flush() }
  }

  mutating func finish() throws(CommandFailure) {
    try flush()
    guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw fault() }
  }

  private mutating func flush() throws(CommandFailure) {
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

  private func fault() -> CommandFailure {
    CommandFailure(.bad, "\(target): \(FileFault(errno: errno).message)")
  }
}
