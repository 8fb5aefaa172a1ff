internal import AuditTrail
internal import ChimeIdentity
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SigV4
internal import StrictJSON

/// Every way in which the gateway itself answers a request. What happened is a case with its facts; `answer` alone knows
/// status, error type and wording.
enum Refusal: Error {
  // The request cannot be read.
  case unreadable(HTTPViolation)
  case tooSlow
  case tooMuchContent
  case unknownOperation
  case malformedTarget(IdentificationFailure)
  /// A field that has one value.
  case givenTwice(StaticString)
  // Nobody known sent it.
  case unauthenticated(AuthenticationFailure)
  case certificateMissing(tenant: Text)
  case certificateOfAnother(tenant: Text)
  // It is not the tenant's to do.
  case notTheTenants(Violation)
  // It comes too often.
  case throttled(Throttling)
  // It says what the API does not allow.
  case notStrictJSON(JSONSyntaxError)
  case breaksModel(ModelViolation)
  case denied([Violation])
  case tokenReused
  // The gateway or the upstream cannot serve it.
  case journalUnavailable
  case noCredentials
  /// The role of the tenant gives no session.
  case noSession
  case circuitOpen(retryAfterSeconds: Int)
  /// Limits are counted nowhere, and nothing is allowed meanwhile.
  case storeDown
  case draining
  case upstreamUnreachable
  /// It was sent, and the connection ended before any answer.
  case upstreamLost
  case upstreamUnreadable(HTTPViolation)
  case upstreamTooSlow(sent: Bool)
  /// It answered, against the gateway's own credentials, signature or role.
  case upstreamRefusesUs(OwnFault, UpstreamAnswer)
}

extension Refusal {
  init(_ refusal: JudgementRefusal) {
    self =
      switch refusal {
      case .notStrictJSON(let error): .notStrictJSON(error)
      case .notTheTenants(let violation): .notTheTenants(violation)
      case .breaksModel(let violation): .breaksModel(violation)
      case .denied(let violations): .denied(violations)
      }
  }
}

/// What a refusal looks like to the caller and in the journal.
struct RefusalAnswer {
  var status: Int
  var type: String
  var code: ErrorCode?
  var message: String
  var decision: AuditDecision
  var retryAfterSeconds: Int?
  var closes = false
}

extension Refusal {
  var answer: RefusalAnswer {
    switch self {
    case .unreadable(let violation): Self.unreadable(violation)
    case .tooSlow:
      .init(.badRequest, status: 408, "the request did not arrive in time", .invalid, closes: true)
    case .tooMuchContent:
      .init(
        .serviceUnavailable, "too many bodies are awaited at the moment; nothing was forwarded", .refused,
        retryAfter: 1, closes: true)
    case .unknownOperation:
      .init(.unknownOperation, "no operation of the service has this method and path", .invalid)
    case .malformedTarget(let failure): .init(.badRequest, failure.message, .invalid)
    case .givenTwice(let field): .init(.badRequest, "the header `\(field)` is given twice", .invalid)
    case .unauthenticated(let failure): Self.unauthenticated(failure)
    case .certificateMissing(let tenant):
      .init(
        .forbidden, code: .accessDenied,
        "tenant \(tenant) must connect with TLS and a client certificate that its entry in the tenants file names",
        .unauthenticated)
    case .certificateOfAnother(let tenant):
      .init(
        .forbidden, code: .accessDenied,
        "the client certificate bears none of the names that tenant \(tenant) may use", .unauthenticated)
    case .notTheTenants(let violation):
      .init(.forbidden, code: .accessDenied, Self.message(of: [violation]), .denied)
    case .throttled(let throttling): Self.throttled(throttling)
    case .notStrictJSON(let error):
      .init(.badRequest, error.bodyMessage, .invalid)
    case .breaksModel(let violation): .init(.badRequest, violation.message, .invalid)
    case .denied(let violations): .init(.forbidden, Self.message(of: violations), .denied)
    case .tokenReused:
      .init(
        .conflict, "this ClientRequestToken came with another request before; expected a new token", .invalid)
    case .journalUnavailable, .noCredentials, .noSession, .circuitOpen, .storeDown, .draining,
      .upstreamUnreachable, .upstreamLost, .upstreamUnreadable, .upstreamTooSlow, .upstreamRefusesUs:
      unservable
    }
  }

  /// The gateway's or the upstream's fault, never the caller's.
  private var unservable: RefusalAnswer {
    switch self {
    case .journalUnavailable:
      .init(
        .serviceUnavailable, "the audit journal cannot be written; nothing was forwarded", .refused,
        retryAfter: 1)
    case .noCredentials:
      .init(.serviceUnavailable, "the gateway has no AWS credentials; nothing was forwarded", .refused)
    case .noSession:
      .init(
        .serviceUnavailable, "the gateway cannot assume the tenant's role; nothing was forwarded", .refused,
        retryAfter: 1)
    case .upstreamRefusesUs(let fault, _) where fault.kind == .denied:
      .init(
        .forbidden, code: .accessDenied, "upstream does not allow the gateway's role this operation", .allowed
      )
    case .upstreamRefusesUs:
      .init(
        .serviceUnavailable,
        "upstream refuses the gateway's own credentials or signature; nothing was carried out", .refused)
    case .storeDown:
      .init(
        .serviceUnavailable, "the store of rate limits does not answer; nothing was forwarded", .refused,
        retryAfter: 1)
    case .circuitOpen(let seconds):
      .init(
        .serviceUnavailable,
        "upstream has failed repeatedly and is left alone for a while; nothing was forwarded",
        .refused, retryAfter: seconds)
    case .draining:
      .init(.serviceUnavailable, "the gateway is shutting down", .refused, retryAfter: 1, closes: true)
    case .upstreamUnreachable:
      .init(.serviceUnavailable, "upstream cannot be reached; nothing was sent", .refused, retryAfter: 1)
    case .upstreamLost:
      .init(.serviceUnavailable, "upstream closed the connection without an answer; \(Self.sent)", .allowed)
    case .upstreamUnreadable:
      .init(.serviceUnavailable, "upstream's answer cannot be read; \(Self.sent)", .allowed)
    case .upstreamTooSlow(sent: true):
      .init(.serviceUnavailable, status: 504, "upstream did not answer in time; \(Self.sent)", .allowed)
    case .upstreamTooSlow(sent: false):
      .init(
        .serviceUnavailable, status: 504, "upstream did not answer in time; nothing was sent", .refused)
    default: .init(.serviceFailure, "a fault of the gateway", .refused)
    }
  }

  private static let sent = "the request was sent and may have been carried out"

  private static func unreadable(_ violation: HTTPViolation) -> RefusalAnswer {
    let status =
      switch violation.status {
      case .badRequest: 400
      case .headerTooLarge: 431
      case .bodyTooLarge: 413
      }
    return .init(.badRequest, status: status, violation.description, .invalid, closes: true)
  }

  private static func throttled(_ throttling: Throttling) -> RefusalAnswer {
    var answer = RefusalAnswer(
      .throttledClient, throttling.message, .throttled, retryAfter: throttling.retryAfterSeconds)
    answer.type = throttling.errorType
    // Only the model's own errors have one.
    answer.code = ServiceError(named: throttling.errorType)?.code
    return answer
  }

  private static func message(of violations: [Violation]) -> String {
    JudgementRefusal.denied(violations).message
  }
}

extension Refusal {
  private static func unauthenticated(_ failure: AuthenticationFailure) -> RefusalAnswer {
    switch failure {
    case .missingAuthorization:
      .init(
        .missingAuthenticationToken,
        "the request has no Authorization header; sign it with SigV4 (the presigned-query form is not accepted)",
        .unauthenticated)
    case .incomplete(let reason): .init(.incompleteSignature, incomplete(reason), .unauthenticated)
    case .unrecognized(let reason): .init(.unrecognizedClient, unrecognized(reason), .unauthenticated)
    case .expiredToken:
      .init(.expiredToken, "the security token included in the request is expired", .unauthenticated)
    case .invalid(let reason): .init(.invalidSignature, invalid(reason), .unauthenticated)
    }
  }

  private static func incomplete(_ reason: IncompleteSignature) -> String {
    switch reason {
    case .otherAlgorithm: "the Authorization header must begin with `AWS4-HMAC-SHA256`"
    case .parameterMissing(let parameter): "the Authorization header has no `\(parameter.rawValue)`"
    case .parameterMalformed(let parameter):
      "`\(parameter.rawValue)` of the Authorization header is malformed"
    case .unknownParameter:
      "the Authorization header has a parameter other than Credential, SignedHeaders and Signature"
    case .fieldGivenTwice(let field): "the header `\(field.rawValue)` is given twice"
    case .dateMissing: "the request has no X-Amz-Date header"
    case .dateMalformed: "X-Amz-Date is not a time in the form YYYYMMDDTHHMMSSZ"
    case .hostNotSigned: "SignedHeaders does not list `host`"
    case .listedFieldAbsent(let name): "SignedHeaders lists `\(name)`, which the request does not have"
    }
  }

  /// One wording for unknown, revoked and expired keys: who holds none must not learn which of them exist.
  private static func unrecognized(_ reason: UnrecognizedKey) -> String {
    switch reason {
    case .unknown, .revoked, .expired: "the access key is unknown, revoked or expired"
    case .unexpectedToken, .missingToken, .wrongToken:
      "the security token included in the request is not the one of this access key"
    }
  }

  private static func invalid(_ reason: InvalidSignature) -> String {
    switch reason {
    case .mismatch:
      "the request signature does not match; check the secret access key and that nothing changed the request on its way"
    case .dateTooOld: "signature expired: X-Amz-Date is too far in the past; check the clock"
    case .dateInFuture: "signature not yet current: X-Amz-Date is in the future; check the clock"
    case .scopeDate: "the date of the credential scope is not that of X-Amz-Date"
    case .scopeRegion(let accepted):
      "the credential scope is for another region; expected "
        + accepted.map { "`\($0)`" }.joined(separator: " or ")
    case .scopeService: "the credential scope is for another service; expected `chime`"
    case .scopeTerminator: "the credential scope does not end in `aws4_request`"
    case .payloadHashMismatch: "X-Amz-Content-Sha256 is not the hash of the body"
    case .payloadNotSigned:
      "X-Amz-Content-Sha256 must be the hash of the body; unsigned and streamed payloads are refused"
    case .fieldNotSigned(let name): "the header `\(name)` is not signed"
    }
  }
}

extension RefusalAnswer {
  fileprivate init(
    _ error: ServiceError, status: Int? = nil, code: ErrorCode? = nil, _ message: String,
    _ decision: AuditDecision, retryAfter: Int? = nil, closes: Bool = false
  ) {
    self.status = status ?? error.status
    type = "\(error.typeName)"
    self.code = code ?? error.code
    self.message = message
    self.decision = decision
    retryAfterSeconds = retryAfter
    self.closes = closes
  }
}

extension Refusal {
  /// What the journal says of it besides the violations. Messages quote no values of the request, but a syntax error may
  /// name a key of it.
  var auditedReason: String? {
    switch self {
    case .denied, .notTheTenants: nil
    case .notStrictJSON: "the body is not strict JSON"
    case .upstreamUnreadable(let violation): "upstream's answer cannot be read: \(violation)"
    case .upstreamRefusesUs(let fault, _):
      "upstream: \(fault.type)" + (fault.message.map { ": \($0)" } ?? "")
    default: answer.message
    }
  }

  /// Upstream's answer, where it is not for the caller.
  var withheldAnswer: UpstreamAnswer? {
    if case .upstreamRefusesUs(_, let answer) = self { answer } else { nil }
  }

  /// What breaks one of the gateway's own rules, for the journal and the metrics.
  var gatewayViolation: Violation? {
    if case .notTheTenants(let violation) = self { violation } else { nil }
  }
}
