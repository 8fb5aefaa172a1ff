package import Primitives

/// What was decided about a request.
package enum AuditDecision: String, Sendable, CaseIterable {
  case allowed, denied, throttled, unauthenticated, invalid
  /// The gateway could not serve it.
  case refused
}

/// What became of a request.
package enum AuditOutcome: String, Sendable, CaseIterable {
  case created, succeeded
  /// Upstream said no.
  case rejected
  case failed
  /// Forwarded, and no answer is known.
  case unknown
  case notForwarded
}

/// What the gateway knows of a request when it is recorded, and what it decided about it.
///
/// The members are those of the request as it was received, so that another policy can be tried on it later; what
/// was changed on the way stands in `changes`. Secrets, signatures and session tokens have no place here.
package struct AuditedRequest: Sendable {
  package struct Tag: Sendable, Hashable {
    package var key: Text
    package var value: Text

    package init(key: Text, value: Text) {
      self.key = key
      self.value = value
    }
  }

  /// A violation or a warning.
  package struct Finding: Sendable, Hashable {
    package var policy: Text
    package var rule: String
    package var field: String
    package var message: String

    package init(policy: Text, rule: String, field: String, message: String) {
      self.policy = policy
      self.rule = rule
      self.field = field
      self.message = message
    }
  }

  package struct Change: Sendable, Hashable {
    package var field: String
    package var from: Text?
    package var to: Text

    package init(field: String, from: Text?, to: Text) {
      self.field = field
      self.from = from
      self.to = to
    }
  }

  package var id: RequestID
  /// When it was received.
  package var time: WallClockTime
  package var tenant: Text?
  package var accessKeyId: Text?
  package var actor: Text?
  package var sourceIp: Text?
  /// Cut after 1024 bytes.
  package var userAgent: Text?
  package var operation: Text?
  /// Method and path, for requests that are no known operation. Never the query: it may hold a signature.
  package var method: Text?
  package var path: Text?
  package var appInstanceArn: Text?
  package var appInstanceUserId: Text?
  package var appInstanceUserArn: Text?
  /// What the request is about when that is no AppInstance and no user: a bot, an endpoint.
  package var resourceArn: Text?
  package var name: Text?
  package var metadata: Text?
  package var tags: [Tag] = []
  /// Of UntagResource.
  package var tagKeys: [Text] = []
  package var expirationDays: Int?

  package var decision: AuditDecision
  package var violations: [Finding] = []
  package var warnings: [Finding] = []
  package var changes: [Change] = []
  /// `sha256:…` of the policy set that decided; `nil` when none did.
  package var policyRevision: Text?
  /// The request whose answer this one got again.
  package var repeatOf: RequestID?

  package init(id: RequestID, time: WallClockTime, decision: AuditDecision) {
    self.id = id
    self.time = time
    self.decision = decision
  }
}

/// How a request ended.
package struct AuditedResult: Sendable {
  package var outcome: AuditOutcome
  /// The status the caller got; `nil` when it was gone.
  package var status: Int?
  /// The error type the caller got.
  package var errorType: Text?
  /// Why, for whoever reads the journal; it must not quote what the request holds.
  package var reason: String?
  package var upstreamStatus: Int?
  package var upstreamRequestId: Text?
  package var appInstanceUserArn: Text?
  package var durationNanoseconds: Int64
  /// How often it was sent upstream.
  package var attempts: Int?

  package init(_ outcome: AuditOutcome, status: Int?, durationNanoseconds: Int64) {
    self.outcome = outcome
    self.status = status
    self.durationNanoseconds = durationNanoseconds
  }
}
