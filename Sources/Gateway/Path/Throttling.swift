internal import Configuration
internal import PolicyEngine
internal import Primitives
internal import RateLimiting

/// A limit that was reached.
struct Throttling: Sendable {
  enum Scope: UInt8, Sendable, CaseIterable {
    case tenant, concurrency, source, upstream

    /// As metrics name it.
    var label: StaticText {
      switch self {
      case .tenant: "tenant"
      case .concurrency: "concurrency"
      case .source: "source"
      case .upstream: "upstream"
      }
    }

    var message: String {
      switch self {
      case .tenant: "the tenant's request rate is exceeded"
      case .concurrency: "the tenant has as many requests in flight as it may have"
      case .source: "the request rate of this source address is exceeded"
      case .upstream: "the account's quota upstream is used up"
      }
    }

    /// What is told of a request that was over the limit, where limits only warn.
    var warning: Violation {
      Violation(
        policy: GatewayRule.policy, rule: "rateLimit.\(label.string)", field: "rateLimit", message: message)
    }
  }

  let scope: Scope
  let retryAfterSeconds: Int
  /// Field lines `RateLimit` and `RateLimit-Policy`, where the limit is one of rate.
  let fieldLines: [UInt8]
  /// `rateLimit.errorType` of the configuration.
  let errorType: String
}

/// Some scopes, each once.
struct ThrottlingScopes: BitwiseCopyable, Sendable {
  private var bits: UInt8 = 0

  var isEmpty: Bool { bits == 0 }
  mutating func insert(_ scope: Throttling.Scope) { bits |= 1 << scope.rawValue }

  /// In the order of their cases.
  var warnings: [Violation] {
    Throttling.Scope.allCases.filter { bits & 1 << $0.rawValue != 0 }.map(\.warning)
  }
}

extension Throttling {
  /// A limit of a tenant's or a source's rate.
  init(_ scope: Scope, _ decision: LimitDecision, _ limits: GatewayConfiguration.RateLimit) {
    let name: StaticString = scope == .source ? "source" : "tenant"
    var lines: [UInt8] = []
    lines.append("RateLimit: ")
    RateLimitFields.appendState(of: decision, named: name, to: &lines)
    lines.append("\r\nRateLimit-Policy: ")
    RateLimitFields.appendPolicy(decision.policy, named: name, to: &lines)
    lines.append("\r\n")
    self.init(
      scope: scope, retryAfterSeconds: RateLimitFields.wholeSeconds(decision.wait), fieldLines: lines,
      errorType: limits.errorType)
  }

  /// A limit that is not one of a tenant's or a source's rate.
  init(
    _ scope: Scope, retryAfter nanoseconds: Int64, policy: [UInt8], _ limits: GatewayConfiguration.RateLimit
  ) {
    self.init(
      scope: scope, retryAfterSeconds: RateLimitFields.wholeSeconds(nanoseconds), fieldLines: policy,
      errorType: limits.errorType)
  }
}
