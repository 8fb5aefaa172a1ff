import AuditStore
import AuditTrail
import Configuration
import CredentialSupply
import Glibc
import HTTPWire
import OpenSSLCrypto
import Primitives
import RateLimiting
import SigV4
import Synchronization
import Testing
import Transport

@testable import Gateway

let appInstance = "arn:aws:chime:us-east-1:123456789012:app-instance/demo"

/// A worker with its loop, journal and snapshot, and an upstream that is a closure: no socket anywhere.
///
/// `@unchecked Sendable`: what changes is touched on the loop, and read when the loop has ended.
final class WorkerFixture: @unchecked Sendable {
  let worker: Worker
  let upstream: ScriptedUpstream
  let journalFolder: String
  private let loop: EventLoop
  private let journal: Journal
  private let sink: LogSink
  private let clock = TestClock()

  /// - Parameters:
  ///   - policies: texts of policy files.
  ///   - rateLimit: the tenant's, in JSON.
  init(
    policies: [String] = [], rateLimit: String? = nil, answers: [ScriptedUpstream.Answer] = [.status(201)]
  ) throws {
    var template = Array("/tmp/gatehouse-worker-XXXXXX".utf8CString)
    journalFolder = String(cString: try #require(mkdtemp(&template)))
    let files = MemoryFiles(policies: policies, rateLimit: rateLimit)
    let supply = CredentialKeeper(
      CredentialSurroundings(environment: [:], read: { _ in nil }), clock: clock, entropy: SystemEntropy())
    let load = SnapshotLoader.load(
      configPath: "gatehouse.json", files: files, environment: [:], meters: TenantMeters(), supply: supply)
    let snapshot = try #require(load.snapshot, "\(load.problems.map(\.line))")
    journal = try Journal.open(Journal.Settings(directory: journalFolder), clock: clock)
    sink = try LogSink(descriptor: open("/dev/null", O_WRONLY))
    loop = try EventLoop(clock: clock)
    upstream = ScriptedUpstream(answers)
    let shared = SharedState(
      journal: journal, configuration: snapshot.configuration, logSink: sink,
      connections: ConnectionGate(.init(connections: 10, perSource: 10, admin: 10)), supply: supply,
      now: clock.monotonic())
    worker = Worker(loop: loop, shared: shared, snapshot: snapshot, upstreams: PerRegion(upstream))
  }

  /// Runs `body` on the loop to its end, then closes the journal.
  func run(_ body: @escaping @Sendable (WorkerFixture) async -> Void) {
    loop.spawn { [self] in
      worker.startHousekeeping()
      await body(self)
      loop.stop()
    }
    loop.run()
    // What the last turn recorded.
    worker.records.handOver()
    journal.close()
    sink.close()
  }

  deinit {
    var names: [String] = []
    if let folder = opendir(journalFolder) {
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        names.append(name)
      }
      closedir(folder)
    }
    for name in names where name != "." && name != ".." { unlink("\(journalFolder)/\(name)") }
    rmdir(journalFolder)
  }

  func send(_ request: RequestMessage) async -> (status: Int, body: String, fields: String) {
    let reply = await worker.reply(to: request, from: Peer(address: "127.0.0.1"))
    let fields = String(decoding: reply.fieldLines.array, as: UTF8.self)
    return (reply.status, String(decoding: reply.bytes[reply.body.range], as: UTF8.self), fields)
  }

  /// The journal's lines as they are on the disk now.
  func journalText() -> String {
    var text = ""
    guard let file = fopen("\(journalFolder)/journal-0000000000000001.jsonl", "r") else { return text }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
    text = String(decoding: bytes, as: UTF8.self)
    return text
  }

  /// A request as a caller of tenant `crm` signs it.
  func signed(
    _ method: String = "POST", _ target: String = "/app-instance-users", body: String,
    secret: String = MemoryFiles.secret
  ) throws -> RequestMessage {
    let content = Array(body.utf8)
    let (verb, type) = (Array(method.utf8), Array("application/json".utf8))
    let parts = target.split(separator: "?", maxSplits: 1)
    let (path, query) = (Array(parts[0].utf8), Array((parts.count > 1 ? String(parts[1]) : "").utf8))
    let signer = Signer(
      SigningScope(region: "us-east-1"),
      credentials: Credentials(
        accessKeyId: MemoryFiles.keyId, secret: Secret(Array(secret.utf8)), sessionToken: nil, expiration: nil
      ),
      host: Array("gateway.local".utf8))
    var workspace = SigningWorkspace()
    var head = ByteBuffer()
    head.append(string: "\(method) \(target) HTTP/1.1\r\nHost: gateway.local\r\n")
    head.append("Content-Type: application/json\r\n")
    head.append(string: "Content-Length: \(content.count)\r\nUser-Agent: stage-tests\r\n")
    signer.sign(
      OutboundRequest(
        method: verb.span, path: path.span, canonicalQuery: query.span, contentType: type.span,
        payloadHash: SHA256.digest(content)),
      at: clock.wallClock(), workspace: &workspace, into: &head)
    head.append("\r\n")
    head.append(content)
    return try message(head.array)
  }

  func message(_ bytes: [UInt8]) throws -> RequestMessage {
    var parser = RequestParser(limits: HTTPLimits())
    guard case .request(let message) = try parser.next(adding: bytes.span.bytes) else { throw Incomplete() }
    return message
  }

  struct Incomplete: Error {}
}

/// Real time goes on, but the date is always the same.
struct TestClock: TimeSource {
  func monotonic() -> MonotonicInstant {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return MonotonicInstant(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
  }

  func wallClock() -> WallClockTime { WallClockTime(seconds: 1_795_000_000) }
}

/// Answers in order, the last one again and again, and keeps what it was sent.
///
/// `@unchecked Sendable`: touched on the loop, and read when the loop has ended.
final class ScriptedUpstream: Upstream, @unchecked Sendable {
  enum Answer {
    case status(Int)
    case failure(ExchangeFailure)
  }

  private var answers: [Answer]
  private(set) var requests: [String] = []
  /// Called before each answer.
  var onRequest: () -> Void = {}

  init(_ answers: [Answer]) { self.answers = answers }

  func exchange(
    _ request: borrowing ByteBuffer, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage {
    requests.append(String(decoding: request.array, as: UTF8.self))
    onRequest()
    let answer = answers.count > 1 ? answers.removeFirst() : answers[0]
    switch answer {
    case .failure(let failure): throw failure
    case .status(let status):
      let body = #"{"AppInstanceUserArn":"\#(appInstance)/user/crm-alice"}"#
      let text =
        "HTTP/1.1 \(status) X\r\nx-amzn-RequestId: up-1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      var parser = ResponseParser(limits: HTTPLimits())
      guard case .response(let message)? = try? parser.next(adding: Array(text.utf8).span.bytes) else {
        throw .lost(.closed)
      }
      return message
    }
  }

  func connect(to target: PoolTarget, keepingConnections: Bool) {}
  func sweep() {}
  var idleCount: Int { 0 }
  var inUseCount: Int { 0 }
}
