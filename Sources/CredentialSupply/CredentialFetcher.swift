internal import Configuration
internal import CredentialSources
internal import HTTPWire
package import OpenSSLCrypto
internal import Primitives
internal import SigV4
internal import Threads
internal import Transport

/// What fetching needs of the outside, besides the network.
package struct CredentialSurroundings: Sendable {
  package let environment: Environment
  /// A file's content; `nil` when it cannot be read.
  package let read: @Sendable (String) -> [UInt8]?

  package init(environment: Environment, read: @escaping @Sendable (String) -> [UInt8]?) {
    self.environment = environment
    self.read = read
  }

  var reader: EnvironmentReader {
    EnvironmentReader(environment) { path in read(path).map { String(decoding: $0, as: UTF8.self) } }
  }
}

/// Carries out a plan on a loop. Each step has `stepLimit`, a program `programLimit`.
struct CredentialFetcher {
  static let stepLimit: Int64 = 2_000_000_000
  static let programLimit: Int64 = 10_000_000_000

  let loop: EventLoop
  let resolver: Resolver
  let programs: ProgramRunner
  let surroundings: CredentialSurroundings
  let region: String
  let stsEndpoint: UpstreamEndpoint?

  func fetch(_ plan: CredentialPlan) async throws(CredentialFailure) -> Credentials {
    switch plan {
    case .ready(let credentials, _): return credentials
    case .process(let words): return try await run(words)
    case .container(let endpoint): return try await ask(endpoint)
    case .instance(let endpoint): return try await ask(endpoint)
    case .webIdentity(let identity):
      let token = try file(identity.tokenFile, "the web identity's token")
      return try await callSTS(STSCall.assumeRole(identity, token: token), signedWith: nil, token: token)
    case .assumeRole(let role, let base):
      return try await assume(role, with: try await fetch(base))
    }
  }

  func assume(
    _ role: GatewayConfiguration.RoleToAssume, with credentials: Credentials
  ) async throws(CredentialFailure) -> Credentials {
    try await callSTS(STSCall.assumeRole(role), signedWith: credentials, token: nil)
  }

  private func run(_ words: [String]) async throws(CredentialFailure) -> Credentials {
    let waiter = LoopWaiter<Result<[UInt8], CredentialFailure>>()
    // What the program's own SDK needs; the gateway's master key is none of its business.
    var variables = surroundings.environment.copy
    variables["GATEHOUSE_MASTER_KEY"] = nil
    let (programs, environment) = (programs, variables)
    do throws(ThreadFault) {
      try PosixThread {
        waiter.finish(programs.run(words, environment: environment, limit: Self.programLimit))
      }.abandon()
    } catch {
      throw .process("has no thread to be waited for on")
    }
    guard let result = await waiter.result(on: loop, within: Self.programLimit + Self.stepLimit) else {
      throw .process("did not end in time")
    }
    return try CredentialAnswer.parse(try result.get(), as: .process)
  }

  private func ask(_ container: ContainerEndpoint) async throws(CredentialFailure) -> Credentials {
    let who = "the container's endpoint"
    var fields: [(StaticString, String)] = []
    switch container.authorization {
    case .none: break
    case .token(let token): fields.append(("Authorization", try Self.visible(token, who)))
    case .file(let path):
      fields.append(("Authorization", try Self.visible(try file(path, "the authorization token"), who)))
    }
    let session = try HTTPSession(container.endpoint, who: who, limit: Self.stepLimit, self)
    defer { session.close() }
    let answer = try await session.send("GET", container.path, query: container.query, fields)
    guard answer.status == 200 else {
      throw .refused(who, status: answer.status, reason: "")
    }
    return try CredentialAnswer.parse(answer.body, as: .container)
  }

  /// IMDSv2: a token first, then the role's name, then its credentials.
  private func ask(_ instance: MetadataEndpoint) async throws(CredentialFailure) -> Credentials {
    let who = "the instance's metadata service"
    let session = try HTTPSession(instance.endpoint, who: who, limit: Self.stepLimit, self)
    defer { session.close() }
    let token = try await session.send(
      "PUT", instance.prefix + "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])
    guard token.status == 200 else { throw .refused(who, status: token.status, reason: "no session token") }
    let field: [(StaticString, String)] = [
      ("X-aws-ec2-metadata-token", try Self.visible(String(decoding: token.body, as: UTF8.self), who))
    ]
    let folder = instance.prefix + "/latest/meta-data/iam/security-credentials/"
    let names = try await session.send("GET", folder, field)
    guard names.status == 200 else {
      throw .refused(who, status: names.status, reason: "the instance may have no role")
    }
    let first = names.body.split(separator: UInt8(ascii: "\n")).first ?? []
    let role = try Self.visible(String(decoding: first, as: UTF8.self), who)
    let answer = try await session.send("GET", folder + role, field)
    guard answer.status == 200 else { throw .refused(who, status: answer.status, reason: "") }
    return try CredentialAnswer.parse(answer.body, as: .instance)
  }

  private func callSTS(
    _ form: [UInt8], signedWith credentials: Credentials?, token: String?
  ) async throws(CredentialFailure) -> Credentials {
    let endpoint = try STSCall.endpoint(stsEndpoint, region: region, surroundings.reader)
    let session = try HTTPSession(endpoint, who: "STS", limit: Self.stepLimit, self)
    defer { session.close() }
    let answer = try await session.post(
      form, contentType: STSCall.contentType, at: loop.clock.wallClock(),
      by: credentials.map {
        Signer(
          SigningScope(region: Text(region), service: "sts"), credentials: $0,
          host: Array(endpoint.authority.utf8))
      })
    return try STSCall.credentials(in: answer.body, status: answer.status, sentToken: token)
  }

  private func file(_ path: String, _ what: String) throws(CredentialFailure) -> String {
    guard let bytes = surroundings.read(path) else { throw .file(path, reason: "\(what) is not there") }
    let text = String(decoding: bytes, as: UTF8.self).trimmingLines
    guard !text.isEmpty else { throw .file(path, reason: "\(what) is empty") }
    return text
  }

  /// What is to stand in a field or a path.
  private static func visible(_ text: String, _ who: String) throws(CredentialFailure) -> String {
    let trimmed = text.trimmingLines
    guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      throw .unreadable(who, reason: "a token or name is empty, or has what cannot stand in a header")
    }
    return trimmed
  }
}

extension String {
  /// Without spaces and line ends at either end, which editors leave in files.
  fileprivate var trimmingLines: String {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let bytes = Array(utf8)
    guard let first = bytes.firstIndex(where: { !isSpace($0) }),
      let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }
}
