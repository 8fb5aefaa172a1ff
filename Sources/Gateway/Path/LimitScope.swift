internal import ChimeIdentity
internal import PolicyEngine
internal import RateLimiting

/// Which limit. Its name stands in metrics, warnings (`rateLimit.NAME`) and the fields `RateLimit` and `RateLimit-Policy`;
/// of limits that a tenant may have several of it is the way to the member that sets it.
enum LimitScope: Hashable, Sendable {
  case tenant, concurrency, source, upstream, perAppInstance
  /// All operations that only read.
  case reads
  case operation(ChimeIdentity.Operation)

  static let all: [LimitScope] =
    [.tenant, .concurrency, .source, .upstream, .perAppInstance, .reads]
    + ChimeIdentity.Operation.allCases.map { .operation($0) }

  var name: String {
    switch self {
    case .tenant: "tenant"
    case .concurrency: "concurrency"
    case .source: "source"
    case .upstream: "upstream"
    case .perAppInstance: "perAppInstance"
    case .reads: "operations.read"
    case .operation(let operation): "operations.\(operation.name)"
    }
  }

  init(_ rate: TenantRate) {
    switch rate {
    case .whole: self = .tenant
    case .appInstance: self = .perAppInstance
    case .operations(let number):
      self = ChimeIdentity.Operation(rawValue: number).map { .operation($0) } ?? .reads
    }
  }

  /// Beyond those of operations.
  static let numberOfReads: UInt8 = 63

  fileprivate var bit: UInt64 {
    switch self {
    case .operation(let operation): 1 << UInt64(operation.rawValue)
    case .tenant: 1 << 58
    case .concurrency: 1 << 59
    case .source: 1 << 60
    case .upstream: 1 << 61
    case .perAppInstance: 1 << 62
    case .reads: 1 << UInt64(Self.numberOfReads)
    }
  }
}

/// Some limits, each once.
struct LimitScopes: BitwiseCopyable, Sendable {
  private var bits: UInt64 = 0

  var isEmpty: Bool { bits == 0 }
  mutating func insert(_ scope: LimitScope) { bits |= scope.bit }
  func contains(_ scope: LimitScope) -> Bool { bits & scope.bit != 0 }
}

extension Call {
  /// What is told of a request that was over limits which only warn.
  var limitWarnings: [Violation] {
    guard !trail.exceeded.isEmpty else { return [] }
    return LimitScope.all.filter { trail.exceeded.contains($0) }.map { scope in
      Violation(
        policy: GatewayRule.policy, rule: "rateLimit.\(scope.name)", field: "rateLimit",
        message: explanation(of: scope))
    }
  }
}
