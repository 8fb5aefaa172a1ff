package import Configuration
internal import Glibc

/// The folder that an export writes into. A file appears there whole, or not at all.
package struct ExportFolder {
  let path: String
  private let files: any FileSource

  /// Makes the folder, and those above it, when they are not there.
  /// - Parameter files: reads what earlier exports wrote.
  package init(_ path: String, files: any FileSource) throws(ExportFailure) {
    self.path = path
    self.files = files
    try Self.makeFolders(path)
  }

  /// Writes a whole file under `name`, which may have folders in it.
  package func write(_ bytes: [UInt8], as name: String) throws(ExportFailure) {
    var file = try open(name)
    try file.write(bytes)
    try file.finish()
  }

  /// A file to be written piece by piece.
  package func open(_ name: String) throws(ExportFailure) -> ExportFile {
    let target = "\(path)/\(name)"
    if name.contains("/"), let slash = target.lastIndex(of: "/") {
      try Self.makeFolders(String(target[..<slash]))
    }
    return try ExportFile(target)
  }

  /// - Returns: `nil` when there is no such file.
  func read(_ name: String) throws(ExportFailure) -> [UInt8]? {
    do throws(FileFault) {
      return try files.read("\(path)/\(name)").bytes
    } catch {
      guard error != .missing else { return nil }
      throw ExportFailure("\(path)/\(name): \(error.message)")
    }
  }

  /// Removes a file, if it is there.
  func remove(_ name: String) throws(ExportFailure) {
    guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
      throw ExportFailure("\(path)/\(name): \(ExportFailure.reason(errno))")
    }
  }

  /// The last file in `folder` and the folders in it, in the order of their paths, before `limit`.
  func last(in folder: String, before limit: String, ending suffix: String) throws(ExportFailure) -> String? {
    let names: [String]
    do throws(FileFault) {
      names = try files.names(in: "\(path)/\(folder)")
    } catch {
      // No folder, or a file.
      if error == .missing || error == .notADirectory { return nil }
      throw ExportFailure("\(path)/\(folder): \(error.message)")
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

  private static func makeFolders(_ path: String) throws(ExportFailure) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made == "/" ? part : "/\(part)"
      // The journal is for its owner, and so is what is made of it.
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
        throw ExportFailure("\(made): \(ExportFailure.reason(errno))")
      }
      var status = stat()
      guard stat(made, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw ExportFailure("\(made): \(FileFault.notADirectory.message)")
      }
    }
  }
}

/// A file or folder of the export cannot be read or written.
package struct ExportFailure: Error, Hashable {
  /// The path and what is wrong with it.
  package let message: String

  init(_ message: String) { self.message = message }

  fileprivate static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// A file that gets its name when it is complete.
package struct ExportFile: ~Copyable {
  private let target: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []

  private static let chunk = 256 * 1024

  fileprivate init(_ target: String) throws(ExportFailure) {
    self.target = target
    temporary = "\(target).\(getpid()).partial"
    descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw ExportFailure("\(temporary): \(ExportFailure.reason(errno))")
    }
  }

  /// Does nothing when `finish` has given it its name.
  deinit {
    close(descriptor)
    unlink(temporary)
  }

  package mutating func write(_ bytes: [UInt8]) throws(ExportFailure) {
    buffer += bytes
    if buffer.count >= Self.chunk { try flush() }
  }

  package mutating func finish() throws(ExportFailure) {
    try flush()
    guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw fault() }
  }

  private mutating func flush() throws(ExportFailure) {
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

  private func fault() -> ExportFailure {
    ExportFailure("\(target): \(ExportFailure.reason(errno))")
  }
}
