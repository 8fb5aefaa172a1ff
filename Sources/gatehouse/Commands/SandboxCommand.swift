import Gateway
import ArgumentParser
import Gateway
import Glibc
import OpenSSLCrypto
import Primitives
import Sandbox
import SigV4
import StrictJSON
import Transport

/// A local stand-in for the upstream service.
struct SandboxCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract:
      "Run a local stand-in for the service: all its operations and errors, signatures verified, in memory or in a file.",
    discussion: """
      All 30 operations answer as AWS documents them, so that an application's own tests can run on it: AppInstances, \
      users with their endpoints, bots, admins, retention settings and tags. Until the first CreateAppInstance any \
      AppInstance of the region counts as there.

      It accepts the credentials in $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, or makes a pair and prints it.

      EXAMPLES:
        gatehouse sandbox --listen 127.0.0.1:8090 >aws.env
        gatehouse sandbox --listen 127.0.0.1:8090 --database sandbox.db
      """)

  @Option(help: "Address to listen on, HOST:PORT; port 0 lets the system choose.")
  var listen: String
  @Option(help: "The region whose signatures it accepts.")
  var region = "us-east-1"
  @Option(help: "File that keeps what it has: what was answered survives even a kill.")
  var database: String?

  func run() throws {
    let address = try Self.address(listen)
    let (key, isNew) = try Self.accessKey(from: Process.environment)
    do {
      try serve(on: address, key) { if isNew { Console.data(lines: key.exports) } }
    } catch let error as TransportError {
      throw CommandFailure(.bad, "cannot listen on \(listen): \(error)")
    }
  }

  /// Serves until SIGTERM or SIGINT.
  private func serve(on address: SocketAddress, _ key: AccessKeyPair, whenReady: () -> Void) throws {
    let clock = SystemClock()
    var service = SandboxService(region: Text(region))
    var keep: (@Sendable (SandboxEntry) throws -> Void)?
    if let database {
      let (opened, kept) = try SandboxDatabase.open(database, region: region)
      service = kept
      keep = { entry in try opened.append(entry) }
    }
    let handler = SandboxHandler(
      service: service, region: Text(region),
      key: VerificationKey(id: Text(key.id), secret: Secret(key.secret.utf8)), clock: clock,
      entropy: SystemEntropy(), keep: keep)
    let server = try SandboxServer(handler, on: address, loop: EventLoop(clock: clock))
    let signals = SignalSource([SIGTERM, SIGINT], on: server.loop) { _ in server.stop() }
    whenReady()
    Self.log("sandbox listening", at: server.address)
    withExtendedLifetime(signals) { server.run() }
  }

  private static func log(_ message: String, at address: SocketAddress) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("level")
    writer.string("info")
    writer.key("message")
    writer.string(message)
    writer.key("address")
    writer.string(address.description)
    writer.endObject()
    Console.message(json: writer.bytes)
  }

  private static func address(_ written: String) throws -> SocketAddress {
    let name = "localhost:"
    let literal = written.hasPrefix(name) ? "127.0.0.1:" + written.dropFirst(name.count) : written
    do { return try SocketAddress(parsing: literal) } catch {
      throw ValidationError("expected an address such as 127.0.0.1:9000, found `\(written)`")
    }
  }

  /// The key that the environment holds, or a new one.
  private static func accessKey(
    from environment: Environment
  ) throws(CommandFailure) -> (key: AccessKeyPair, isNew: Bool) {
    let id = environment["AWS_ACCESS_KEY_ID"] ?? ""
    let secret = environment["AWS_SECRET_ACCESS_KEY"] ?? ""
    switch (id.isEmpty, secret.isEmpty) {
    case (false, false): return (AccessKeyPair(id: id, secret: secret), false)
    case (true, true): return (AccessKeyPair(), true)
    default:
      throw CommandFailure(
        .usage, "set both of $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, or neither")
    }
  }
}
