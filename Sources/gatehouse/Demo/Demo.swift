import Configuration
import Gateway
import Glibc
import OpenSSLCrypto
import Primitives
import StrictJSON
import Transport

/// Sandbox and gateway as processes of their own, and the calls of an application.
final class Demo {
  private let loop: EventLoop
  private let folder: DemoFolder
  private let tenant = DemoTenant()
  private var children: [ChildProcess] = []
  private var isInterrupted = false
  private var signals: SignalSource?

  /// How long a child may take to say that it listens.
  private static let timeout: Int64 = 20_000_000_000
  private static let pollEvery: Int64 = 20_000_000

  init(policies: String?, loop: EventLoop) throws(CommandFailure) {
    self.loop = loop
    folder = try DemoFolder(policies: policies)
  }

  /// Plays the demo, and stays until a signal if `stays`. Whether everything went as it should.
  func play(stays: Bool) async throws(CommandFailure) -> Bool {
    // What it has started must be ended, whoever watches.
    Console.outliveReader()
    // The signals are held back while the demo is at a step; each wait looks whether one has come.
    signals = SignalSource([SIGTERM, SIGINT], on: loop) { [unowned self] _ in isInterrupted = true }
    do throws(CommandFailure) {
      let isAsExpected = try await perform(stays: stays)
      await endChildren()
      if isAsExpected { folder.remove() } else { Console.message("logs and journal are in \(folder.path)") }
      return isAsExpected
    } catch {
      await endChildren()
      Console.message("logs are in \(folder.path)")
      throw error
    }
  }

  private func perform(stays: Bool) async throws(CommandFailure) -> Bool {
    let gateway = try await start()
    var isAsExpected = try await makeCalls(to: gateway.address)
    isAsExpected = try await showAudit() && isAsExpected
    Console.data("\nMetrics:   http://\(gateway.admin)/metrics")
    Console.data("Readiness: http://\(gateway.admin)/readyz")
    if stays {
      try await stay(gateway.address, dashboard: "http://\(gateway.admin)/")
    } else {
      Console.data("Dashboard: http://\(gateway.admin)/ (with `gatehouse demo`, which stays)")
    }
    return isAsExpected
  }

  private func start() async throws(CommandFailure) -> (address: String, admin: String) {
    let key = AccessKeyPair()
    var environment = Process.environment.copy.filter { !$0.key.hasPrefix("AWS_") }
    let gatewayEnvironment = environment
    environment["AWS_ACCESS_KEY_ID"] = key.id
    environment["AWS_SECRET_ACCESS_KEY"] = key.secret
    let sandbox = try ChildProcess(
      ["sandbox", "--listen", "127.0.0.1:0", "--region", DemoTenant.region], environment: environment,
      output: folder.sandboxLog)
    children.append(sandbox)
    let upstream = try await address("sandbox listening", of: sandbox, in: folder.sandboxLog)
    try folder.configure(upstream: upstream, signingWith: key, tenant: tenant)
    let gateway = try ChildProcess(
      ["serve", "--config", folder.configuration], environment: gatewayEnvironment, output: folder.gatewayLog)
    children.append(gateway)
    let address = try await address("listening", of: gateway, in: folder.gatewayLog)
    let admin = try await self.address("admin listening", of: gateway, in: folder.gatewayLog)
    Console.data("Folder:    \(folder.path)")
    Console.data("Sandbox:   http://\(upstream)")
    Console.data("Gateway:   http://\(address)")
    return (address, admin)
  }

  private func makeCalls(to gateway: String) async throws(CommandFailure) -> Bool {
    var isAsExpected = true
    do {
      let client = try DemoClient(tenant, gateway: SocketAddress(parsing: gateway), loop: loop)
      defer { client.close() }
      for (index, call) in DemoCall.all.enumerated() {
        let answer = try await client.send(call)
        let isRight = answer.status == call.status && answer.errorType == call.errorType
        Self.show(call, index + 1, answer, isRight)
        isAsExpected = isAsExpected && isRight
      }
    } catch {
      throw CommandFailure(.bad, "the gateway did not answer: \(error)")
    }
    return isAsExpected
  }

  private static func show(_ call: DemoCall, _ number: Int, _ answer: DemoAnswer, _ isRight: Bool) {
    Console.data("\n\(number). \(call.title)")
    Console.data("   \(answer.status)\(answer.errorType.map { " \($0)" } ?? " created")")
    if let message = answer.message { Console.data("   \(message)") }
    if let changes = answer.changes { Console.data("   the gateway filled in: \(changes)") }
    if !isRight {
      Console.data("   NOT AS EXPECTED: that was \(call.status)\(call.errorType.map { " \($0)" } ?? "")")
    }
  }

  /// What the journal says about the calls.
  private func showAudit() async throws(CommandFailure) -> Bool {
    var isGood = true
    for command in ["query", "verify"] {
      Console.data("\n$ gatehouse audit \(command) --config \(folder.configuration)")
      let child = try ChildProcess(
        ["audit", command, "--config", folder.configuration], environment: Process.environment.copy)
      children.append(child)
      isGood = try await end(of: child) == 0 && isGood
    }
    return isGood
  }

  private func stay(_ gateway: String, dashboard: String) async throws(CommandFailure) {
    Console.data("\nTo call the gateway as the tenant crm, until Ctrl-C:")
    Console.data(lines: tenant.key.exports)
    // SDKs differ in which of the two they read.
    Console.data("export AWS_REGION=\(DemoTenant.region)")
    Console.data("export AWS_DEFAULT_REGION=\(DemoTenant.region)")
    Console.data("export AWS_ENDPOINT_URL_CHIME_SDK_IDENTITY=http://\(gateway)")
    Console.data("\nDashboard: \(dashboard)")
    while !isInterrupted {
      if children.prefix(2).contains(where: { $0.ended() != nil }) {
        throw CommandFailure(.bad, "sandbox or gateway has ended")
      }
      await loop.sleep(nanoseconds: Self.pollEvery)
    }
  }
}

// Waiting for children.
extension Demo {
  /// The address in the log's line with that message.
  private func address(
    _ message: Text, of child: ChildProcess, in log: String
  ) async throws(CommandFailure) -> String {
    let deadline = loop.clock.monotonic().nanoseconds + Self.timeout
    while true {
      if let address = Self.address(message, in: log) { return address }
      let hasEnded = child.ended() != nil
      guard !hasEnded, loop.clock.monotonic().nanoseconds < deadline else {
        let text = (try? DiskFiles().read(log).bytes).map { String(decoding: $0, as: UTF8.self) } ?? ""
        throw CommandFailure(
          .bad, "`\(child.name)` \(hasEnded ? "ended" : "did not listen in time"):\n\(text)")
      }
      try await pause()
    }
  }

  private static func address(_ message: Text, in log: String) -> String? {
    guard let bytes = try? DiskFiles().read(log).bytes else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let document = try? JSONDocument(parsing: Array(line)),
        let found = document.member("message", of: document.root), document.isText(found, message),
        let address = document.member("address", of: document.root)
      else { continue }
      return document.text(address)?.string
    }
    return nil
  }

  private func end(of child: ChildProcess) async throws(CommandFailure) -> Int32 {
    while true {
      if let code = child.ended() { return code }
      try await pause()
    }
  }

  private func pause() async throws(CommandFailure) {
    if isInterrupted { throw CommandFailure(.bad, "interrupted") }
    await loop.sleep(nanoseconds: Self.pollEvery)
  }

  /// The gateway before the sandbox that it may still be calling.
  private func endChildren() async {
    for child in children.reversed() {
      child.terminate()
      while child.ended() == nil { await loop.sleep(nanoseconds: Self.pollEvery) }
    }
  }
}
