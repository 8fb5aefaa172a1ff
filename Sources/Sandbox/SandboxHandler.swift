internal import ChimeIdentity
package import HTTPWire
internal import OpenSSLCrypto
package import Primitives
package import SigV4
internal import StrictJSON
internal import Synchronization
package import Transport

/// Answers HTTP requests as the service behind AWS's front end does: the call is identified, its signature verified in
/// full, its input validated, and then the service does it.
package final class SandboxHandler: HTTPHandler {
  private let verifier: Verifier
  private let keys: AccessKeyTable
  private let clock: any TimeSource
  private let entropy: any Entropy
  /// Keeps a call before it is answered; throws when it could not be kept.
  private let keep: (@Sendable (SandboxEntry) throws -> Void)?
  private let state: Mutex<State>

  private struct State: ~Copyable {
    var service: SandboxService
    /// Why a call could not be kept. What the service has is then not what is kept, and nothing may be built on it.
    var keepingFailure: String?
    var workspace = SigningWorkspace()
  }

  /// - Parameters:
  ///   - key: the one whose signatures are accepted.
  ///   - keep: called with each call that changed something, before it is answered, one after the other.
  package init(
    service: SandboxService, region: Text, key: VerificationKey, clock: any TimeSource, entropy: any Entropy,
    keep: (@Sendable (SandboxEntry) throws -> Void)? = nil
  ) {
    self.keep = keep
    verifier = Verifier(
      VerifierSettings(scopes: PerRegion(SigningScope(region: region)), clockSkewNanoseconds: Self.clockSkew))
    keys = AccessKeyTable([key])
    self.clock = clock
    self.entropy = entropy
    state = Mutex(State(service: service))
  }

  /// AWS takes signatures whose date is up to five minutes off.
  private static let clockSkew: Int64 = 300_000_000_000

  package func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply {
    answer(request)
  }

  package func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    switch fault {
    case .tooSlow:
      reply(SandboxFailure(.badRequest, "the request did not arrive in time"), status: 408, closes: true)
    case .tooMuchContent:
      reply(SandboxFailure(.badRequest, "too many bodies are awaited"), status: 503, closes: true)
    case .violation(let violation):
      reply(SandboxFailure(.badRequest, "\(violation)"), status: Self.status(violation.status), closes: true)
    }
  }

  /// The answer to one request.
  package func answer(_ request: RequestMessage) -> Reply {
    do throws(SandboxFailure) {
      let call = try Self.identify(request.head)
      try verify(request, call)
      let document = try Self.parse(request.bodyArray)
      do { try ModelValidator.validate(call, document: document) } catch {
        throw SandboxFailure(.badRequest, error.message)
      }
      let now = clock.wallClock()
      let answer = try state.withLock { state throws(SandboxFailure) in
        if let failure = state.keepingFailure { throw Self.cannotKeep(failure) }
        guard let keep, !call.operation.isRead else {
          return try state.service.answer(call, document: document, now: now, entropy: entropy)
        }
        let recorded = RecordedEntropy(of: entropy)
        let answer = try state.service.answer(call, document: document, now: now, entropy: recorded)
        do {
          try keep(SandboxEntry(call, document, at: now, random: recorded.drawn))
        } catch {
          state.keepingFailure = "\(error)"
          throw Self.cannotKeep("\(error)")
        }
        return answer
      }
      return reply(status: answer.status, body: answer.body)
    } catch {
      return reply(error, status: error.error.status)
    }
  }

  private static func cannotKeep(_ reason: String) -> SandboxFailure {
    SandboxFailure(
      .serviceFailure, "the database cannot be written: \(reason); start the sandbox again when it can")
  }

  private static func identify(_ head: RequestHead) throws(SandboxFailure) -> IdentifiedCall {
    do { return try Operation.identify(head) } catch {
      throw SandboxFailure(error == .unknownOperation ? .unknownOperation : .badRequest, error.message)
    }
  }

  private func verify(_ request: RequestMessage, _ call: IdentifiedCall) throws(SandboxFailure) {
    let now = clock.wallClock()
    let query = call.upstreamQuery
    do {
      _ = try state.withLock { state throws(AuthenticationFailure) in
        try verifier.verify(
          request.head, canonicalQuery: query.span, body: request.head[request.body], now: now, keys: keys,
          workspace: &state.workspace)
      }
    } catch { throw SandboxFailure(error) }
  }

  private static func parse(_ body: [UInt8]) throws(SandboxFailure) -> JSONDocument? {
    guard !body.isEmpty else { return nil }
    do { return try JSONDocument(parsing: body) } catch {
      throw SandboxFailure(
        .badRequest, error.bodyMessage)
    }
  }

  private func reply(_ failure: SandboxFailure, status: Int, closes: Bool = false) -> Reply {
    var reply = reply(status: status, body: failure.body)
    reply.fieldLines.append(field: "x-amzn-errortype", literal: failure.error.typeName)
    reply.closes = closes
    return reply
  }

  private func reply(status: Int, body: [UInt8]) -> Reply {
    var fields = ByteBuffer()
    fields.append("x-amzn-requestid: ")
    fields.append(RequestID(from: entropy))
    fields.append("\r\n")
    if !body.isEmpty { fields.append(field: "content-type", literal: "application/json") }
    return Reply(status: status, fieldLines: fields, body: body)
  }

  private static func status(_ kind: HTTPViolation.Kind) -> Int {
    switch kind {
    case .badRequest: 400
    case .headerTooLarge: 431
    case .bodyTooLarge: 413
    }
  }
}

extension SandboxFailure {
  /// As AWS's front end answers.
  fileprivate init(_ failure: AuthenticationFailure) {
    switch failure {
    case .missingAuthorization:
      self.init(.missingAuthenticationToken, "the request has no Authorization header")
    case .incomplete(let fault):
      self.init(.incompleteSignature, "the signature cannot be judged: \(fault)")
    case .unrecognized:
      self.init(.unrecognizedClient, "the access key or its session token is not the sandbox's")
    case .expiredToken:
      self.init(.expiredToken, "the session token is past its end")
    case .invalid(let fault):
      self.init(.invalidSignature, "the signature is not that of this request: \(fault)")
    }
  }
}
