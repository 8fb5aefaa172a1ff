internal import ChimeIdentity
internal import Configuration
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import Transport

/// A limit that applies to a request, and what is left within it.
struct LimitLevel {
  let scope: LimitScope
  private let policy: Policy
  private var remaining: Int
  /// Nanoseconds in which no more than `remaining` are to be had; `nil`: nobody knows.
  private var reset: Int64?

  private enum Policy {
    case rate(GCRA)
    case concurrency(Int)
  }

  init(_ scope: LimitScope, _ decision: LimitDecision) {
    self.scope = scope
    policy = .rate(decision.policy)
    remaining = decision.remaining
    reset = decision.reset
  }

  init(concurrency: Int, inFlight: Int) {
    scope = .concurrency
    policy = .concurrency(concurrency)
    remaining = max(0, concurrency - inFlight)
  }

  /// Nothing is left of it, for so many nanoseconds.
  mutating func reach(until wait: Int64) {
    remaining = 0
    if reset != nil { reset = wait }
  }

  func appendPolicy(to out: inout [UInt8]) {
    switch policy {
    case .rate(let rate): RateLimitFields.appendPolicy(rate, named: scope.name, to: &out)
    case .concurrency(let most): RateLimitFields.appendPolicy(concurrency: most, named: scope.name, to: &out)
    }
  }

  func appendState(to out: inout [UInt8]) {
    RateLimitFields.appendState(remaining, reset: reset, named: scope.name, to: &out)
  }
}

extension Worker {
  /// Every limit that applies to a request, as far as it has come: before it is known who calls, that is its source's.
  func levels(of call: Call, in region: Int?) -> [LimitLevel] {
    if let known = call.trail.store?.levels, !known.isEmpty { return known }
    var levels: [LimitLevel] = []
    if let tenant = call.trail.tenant {
      if let rates = tenant.rates, let request = call.rated(by: rates) {
        levels += tenant.meter.levels(rates, of: request, now: call.receivedAt).map { level in
          LimitLevel(LimitScope(level.rate), level.decision)
        }
      }
      if let most = tenant.concurrency {
        levels.append(LimitLevel(concurrency: most, inFlight: tenant.meter.inFlight))
      }
    }
    if let limit = call.snapshot.sourceLimit {
      levels.append(LimitLevel(.source, call.source.look(limit, now: call.receivedAt)))
    }
    if let region, let level = shared.regions[region: region].level(now: loop.turnBegan) {
      levels.append(LimitLevel(.upstream, level))
    }
    return levels
  }
}

extension Call {
  /// What a tenant's rates look at; `nil` before the operation is known.
  @inline(__always)
  func rated(by rates: borrowing TenantRates) -> RatedRequest? {
    guard let operation = trail.operation else { return nil }
    guard rates.perAppInstance != nil else { return RatedRequest(operation: operation.rawValue) }
    let appInstance = trail.judged?.withFacts { AppInstanceKey($0.appInstanceArn) } ?? nil
    return RatedRequest(operation: operation.rawValue, appInstance: appInstance)
  }
}
