import AuditTrail
import HTTPWire
import PolicyEngine
import Primitives
import SigV4
import StrictJSON
import Testing

@testable import ChimeIdentity
@testable import Gateway

/// A row of the table of the gateway's own answers, and what falls under it.
private struct Row {
  let status: Int
  let type: String
  /// `nil`: the table has a dash.
  let code: String?
  let decision: String
  var closes = false
  let refusals: [Refusal]
}

private let rows: [Row] = [
  Row(
    status: 400, type: "BadRequestException", code: "BadRequest", decision: "invalid", closes: true,
    refusals: [
      .unreadable(.bareLF), .unreadable(.duplicateHost), .unreadable(.contentLengthWithTransferEncoding),
      .unreadable(.targetNotNormal(.dotSegment)),
    ]),
  Row(
    status: 431, type: "BadRequestException", code: "BadRequest", decision: "invalid", closes: true,
    refusals: [.unreadable(.headTooLarge), .unreadable(.trailersTooLarge)]),
  Row(
    status: 413, type: "BadRequestException", code: "BadRequest", decision: "invalid", closes: true,
    refusals: [.unreadable(.bodyTooLarge)]),
  Row(
    status: 408, type: "BadRequestException", code: "BadRequest", decision: "invalid", closes: true,
    refusals: [.tooSlow]),
  Row(
    status: 403, type: "MissingAuthenticationTokenException", code: nil, decision: "unauthenticated",
    refusals: [.unauthenticated(.missingAuthorization)]),
  Row(
    status: 403, type: "IncompleteSignatureException", code: nil, decision: "unauthenticated",
    refusals: [
      .otherAlgorithm, .parameterMissing(.credential), .parameterMalformed(.signature), .unknownParameter,
      .fieldGivenTwice(.authorization), .dateMissing, .dateMalformed, .hostNotSigned,
      .listedFieldAbsent("x-amz-meta"),
    ].map { .unauthenticated(.incomplete($0)) }),
  Row(
    status: 403, type: "UnrecognizedClientException", code: nil, decision: "unauthenticated",
    refusals: [.unknown, .revoked, .expired, .unexpectedToken, .missingToken, .wrongToken].map {
      .unauthenticated(.unrecognized($0))
    }),
  Row(
    status: 403, type: "ExpiredTokenException", code: nil, decision: "unauthenticated",
    refusals: [.unauthenticated(.expiredToken)]),
  Row(
    status: 403, type: "InvalidSignatureException", code: nil, decision: "unauthenticated",
    refusals: [
      .mismatch, .dateTooOld, .dateInFuture, .scopeDate, .scopeRegion(accepted: ["us-east-1"]), .scopeService,
      .scopeTerminator,
      .payloadHashMismatch, .payloadNotSigned, .fieldNotSigned("x-amz-meta"),
    ].map { .unauthenticated(.invalid($0)) }),
  Row(
    status: 403, type: "ForbiddenException", code: "AccessDenied", decision: "unauthenticated",
    refusals: [.certificateMissing(tenant: "crm"), .certificateOfAnother(tenant: "crm")]),
  Row(
    status: 403, type: "ForbiddenException", code: "AccessDenied", decision: "denied",
    refusals: [
      .notTheTenants(
        Violation(
          policy: "gatehouse", rule: "tenant.operation", field: "operation",
          message: "tenant crm may not call DeleteAppInstance; accepted: `CreateAppInstanceUser`"))
    ]),
  Row(
    status: 403, type: "ForbiddenException", code: "Forbidden", decision: "denied",
    refusals: [.denied(violations)]),
  Row(
    status: 400, type: "BadRequestException", code: "BadRequest", decision: "invalid",
    refusals: [
      .breaksModel(ModelViolation(.missing, at: "Name")),
      .malformedTarget(.malformedLabel(.doublePercentEncoding)),
      .malformedTarget(.malformedQuery(.emptyPair)),
    ]),
  Row(
    status: 404, type: "UnknownOperationException", code: nil, decision: "invalid",
    refusals: [.unknownOperation]),
  Row(
    status: 409, type: "ConflictException", code: "Conflict", decision: "invalid", refusals: [.tokenReused]),
  Row(
    status: 429, type: "ThrottledClientException", code: "Throttled", decision: "throttled",
    refusals: [.tenant, .concurrency, .source, .upstream].map { .throttled(throttling($0)) }),
  Row(
    status: 503, type: "ServiceUnavailableException", code: "ServiceUnavailable", decision: "refused",
    refusals: [.journalUnavailable, .noCredentials, .circuitOpen(retryAfterSeconds: 3), .upstreamUnreachable]),
  Row(
    status: 503, type: "ServiceUnavailableException", code: "ServiceUnavailable", decision: "refused",
    closes: true, refusals: [.draining]),
  // Forwarded, so allowed: what is missing is the answer.
  Row(
    status: 503, type: "ServiceUnavailableException", code: "ServiceUnavailable", decision: "allowed",
    refusals: [.upstreamLost, .upstreamUnreadable(.truncated), .upstreamUnreadable(.conflictingLength)]),
  Row(
    status: 504, type: "ServiceUnavailableException", code: "ServiceUnavailable", decision: "allowed",
    refusals: [.upstreamTooSlow(sent: true)]),
  Row(
    status: 504, type: "ServiceUnavailableException", code: "ServiceUnavailable", decision: "refused",
    refusals: [.upstreamTooSlow(sent: false)]),
]

private let violations = [
  Violation(
    policy: "org-baseline", rule: "tags.required", field: "Tags.CostCenter",
    message: "is missing; expected one of 4711, 48*"),
  Violation(policy: "naming", rule: "name.length", field: "Name", message: "expected 2 to 80 characters"),
]

private func throttling(
  _ scope: LimitScope, errorType: String = "ThrottledClientException"
) -> Throttling {
  Throttling(
    scope: scope, message: "more than it may", retryAfterSeconds: 7, fieldLines: [], errorType: errorType)
}

@Suite struct RefusalTests {
  @Test func everyRefusalAnswersAsTheContractSays() {
    for row in rows {
      for refusal in row.refusals {
        let answer = refusal.answer
        #expect(answer.status == row.status, "\(refusal)")
        #expect(answer.type == row.type, "\(refusal)")
        #expect(answer.code?.rawValue == row.code, "\(refusal)")
        #expect(answer.decision.rawValue == row.decision, "\(refusal)")
        #expect(answer.closes == row.closes, "\(refusal)")
      }
    }
  }

  @Test(arguments: [#"{"Name":"hidden-value","Name":1}"#, "{\"Name\":\"hidden-value\u{0}\"}", "hidden-value"])
  func aBodyThatIsNotStrictJSONIsABadRequestAndIsNotQuoted(_ body: String) throws {
    let error = try #require(throws: JSONSyntaxError.self) { try JSONDocument(parsing: Array(body.utf8)) }
    let answer = Refusal.notStrictJSON(error).answer
    #expect(answer.status == 400)
    #expect(answer.type == "BadRequestException")
    #expect(answer.code?.rawValue == "BadRequest")
    #expect(answer.decision == .invalid)
    #expect(!answer.closes)
    #expect(!answer.message.contains("hidden-value"))
    #expect(Refusal.notStrictJSON(error).auditedReason == "the body is not strict JSON")
  }

  /// Which keys exist, and what became of them, is nobody's business who holds none.
  @Test func unknownRevokedAndExpiredKeysCannotBeToldApart() {
    let messages = [UnrecognizedKey.unknown, .revoked, .expired].map {
      Refusal.unauthenticated(.unrecognized($0)).answer.message
    }
    #expect(Set(messages).count == 1)
    let tokens = [UnrecognizedKey.unexpectedToken, .missingToken, .wrongToken].map {
      Refusal.unauthenticated(.unrecognized($0)).answer.message
    }
    #expect(Set(tokens).count == 1)
  }

  /// 64 hexadecimal digits are a hash or a signature; a message is one line that needs no escaping in a log.
  @Test func noMessageHoldsASignatureOrAHash() {
    for refusal in rows.flatMap(\.refusals) {
      let message = refusal.answer.message
      #expect(!message.isEmpty)
      #expect(message.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(message)")
      let longest = message.utf8.split { !($0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x66) }
        .map(\.count).max()
      #expect((longest ?? 0) < 32, "\(message)")
    }
  }

  @Test func aDenialNamesEveryViolation() {
    let message = Refusal.denied(violations).answer.message
    for part in [
      "org-baseline", "tags.required", "Tags.CostCenter", "expected one of 4711, 48*", "naming",
      "name.length",
      "expected 2 to 80 characters",
    ] {
      #expect(message.contains(part))
    }
  }

  @Test func theConfiguredErrorTypeNamesAThrottle() {
    let answer = Refusal.throttled(throttling(.tenant, errorType: "TooManyRequestsException")).answer
    #expect(answer.type == "TooManyRequestsException")
    #expect(answer.status == 429)
    // The model does not have it.
    #expect(answer.code == nil)
    #expect(Refusal.throttled(throttling(.tenant)).answer.code?.rawValue == "Throttled")
  }

  @Test func whenToComeBackIsSaidWhereItIsKnown() {
    #expect(Refusal.throttled(throttling(.source)).answer.retryAfterSeconds == 7)
    #expect(Refusal.circuitOpen(retryAfterSeconds: 3).answer.retryAfterSeconds == 3)
    #expect(Refusal.upstreamLost.answer.retryAfterSeconds == nil)
  }

  /// Whoever gets no answer of upstream's must know whether to look before trying again.
  @Test func whatUpstreamWasAskedSaysWhetherItWasSent() {
    let sent: [Refusal] = [.upstreamLost, .upstreamUnreadable(.truncated), .upstreamTooSlow(sent: true)]
    for refusal in sent {
      #expect(refusal.answer.message.hasSuffix("; the request was sent and may have been carried out"))
      #expect(refusal.answer.decision == .allowed)
    }
    let unsent: [Refusal] = [
      .journalUnavailable, .noCredentials, .circuitOpen(retryAfterSeconds: 1), .upstreamUnreachable,
      .upstreamTooSlow(sent: false),
    ]
    for refusal in unsent {
      #expect(refusal.answer.message.contains("; nothing was "), "\(refusal)")
      #expect(refusal.answer.decision == .refused)
    }
  }

  @Test func theGatewaysOwnRulesAreViolationsToo() {
    let own = Violation(
      policy: "gatehouse", rule: "tenant.appInstance", field: "AppInstanceArn", message: "it is another's")
    let refusal = Refusal.notTheTenants(own)
    #expect(refusal.gatewayViolation == own)
    #expect(refusal.answer.message == "gatehouse: tenant.appInstance: AppInstanceArn: it is another's")
    // The violation says it already.
    #expect(refusal.auditedReason == nil)
    #expect(Refusal.denied(violations).gatewayViolation == nil)
  }
}
