import Configuration
import Gateway
import Glibc
import Primitives
import Sandbox
import StrictJSON

/// The calls that changed a sandbox, one a line, each on disk before it is answered; carried out again at the next start
/// they give what it had. A line that a crash tore was never answered, and goes.
final class SandboxDatabase: Sendable {
  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  private let path: String
  private let descriptor: Int32

  /// Opens or makes the file, for this process alone.
  /// - Returns: what the sandbox had.
  static func open(_ path: String, region: String) throws(CommandFailure) -> (SandboxDatabase, SandboxService)
  {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path, String(cString: strerror(errno))) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(descriptor)
      throw failure(path, "another sandbox uses it")
    }
    let database = SandboxDatabase(path: path, descriptor: descriptor)
    return (database, try database.load(region))
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Returns when the entry is on disk.
  func append(_ entry: SandboxEntry) throws(Fault) { try write(entry.line) }

  private func load(_ region: String) throws(CommandFailure) -> SandboxService {
    var service = SandboxService(region: Text(region))
    let bytes: [UInt8]
    do throws(FileFault) {
      bytes = try DiskFiles.readAll(descriptor, upTo: .max)
    } catch {
      throw Self.failure(path, error.message)
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // Behind the last line feed stands nothing, or what was torn.
    let whole = lines.dropLast()
    guard let header = whole.first else {
      try reset(to: 0)
      try keepHeader(region)
      return service
    }
    try check(Array(header), region)
    for (index, line) in whole.enumerated().dropFirst() {
      guard let entry = SandboxEntry(line: Array(line)), service.redo(entry) else {
        throw Self.failure(path, "line \(index + 1) is no call of a sandbox")
      }
    }
    if let torn = lines.last, !torn.isEmpty { try reset(to: bytes.count - torn.count) }
    return service
  }

  private func keepHeader(_ region: String) throws(CommandFailure) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("sandbox")
    writer.integer(1)
    writer.key("region")
    writer.string(region)
    writer.endObject()
    do { try write(writer.bytes + [UInt8(ascii: "\n")]) } catch {
      throw Self.failure(path, error.description)
    }
  }

  private func check(_ header: [UInt8], _ region: String) throws(CommandFailure) {
    guard let document = try? JSONDocument(parsing: header),
      document.member("sandbox", of: document.root).flatMap({ document.integer($0) }) == 1,
      let written = document.member("region", of: document.root).flatMap({ document.text($0) })
    else { throw Self.failure(path, "it is no database of a sandbox, and is left as it is") }
    guard written.string == region else {
      throw Self.failure(path, "it is of the region `\(written.string)`; expected --region \(written.string)")
    }
  }

  private func reset(to length: Int) throws(CommandFailure) {
    guard ftruncate(descriptor, length) == 0 else {
      throw Self.failure(path, String(cString: strerror(errno)))
    }
  }

  private func write(_ bytes: [UInt8]) throws(Fault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Fault(description: String(cString: strerror(errno))) }
      rest = rest.dropFirst(count)
    }
    guard fdatasync(descriptor) == 0 else { throw Fault(description: String(cString: strerror(errno))) }
  }

  private static func failure(_ path: String, _ what: String) -> CommandFailure {
    CommandFailure(.bad, "\(path): \(what)")
  }
}
