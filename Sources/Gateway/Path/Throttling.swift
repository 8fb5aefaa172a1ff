internal import ChimeIdentity
internal import Configuration
internal import Primitives
internal import RateLimiting

/// A limit that was reached.
struct Throttling: Sendable {
  let scope: LimitScope
  /// Whose limit it is, and where it is set.
  let message: String
  let retryAfterSeconds: Int
  /// Field lines `RateLimit` and `RateLimit-Policy`: all limits that apply to the request, the one that was reached first.
  let fieldLines: [UInt8]
  /// `rateLimit.errorType` of the configuration.
  let errorType: String
}

extension Worker {
  /// Refuses a request that a limit does not let pass, or only counts it where the limits warn.
  ///
  /// - Parameters:
  ///   - wait: nanoseconds until it may come again; 0 where that is not known.
  ///   - region: the place of the one that it is for, once that is known.
  func refuse(_ scope: LimitScope, retryAfter wait: Int64, in region: Int? = nil, _ call: Call)
    throws(Refusal)
  {
    let key = Metrics.LimitKey(tenant: call.trail.tenant?.configured.id ?? "", scope: scope.name)
    metrics.update { $0.limited[key, default: 0] += 1 }
    let limits = call.snapshot.configuration.rateLimit
    guard limits.mode == .enforce else { return call.trail.exceeded.insert(scope) }
    throw .throttled(
      Throttling(
        scope: scope, message: call.explanation(of: scope),
        retryAfterSeconds: RateLimitFields.wholeSeconds(wait),
        fieldLines: fieldLines(of: call, in: region, reached: scope, wait), errorType: limits.errorType))
  }

  private func fieldLines(
    of call: Call, in region: Int?, reached: LimitScope, _ wait: Int64
  ) -> [UInt8] {
    var levels = levels(of: call, in: region)
    // Others may have come and gone since it was refused.
    if let place = levels.firstIndex(where: { $0.scope == reached }) {
      var level = levels.remove(at: place)
      level.reach(until: wait)
      levels.insert(level, at: 0)
    }
    var lines: [UInt8] = []
    for (name, write) in [
      ("RateLimit: ", LimitLevel.appendState), ("RateLimit-Policy: ", LimitLevel.appendPolicy),
    ] {
      lines += name.utf8
      for (index, level) in levels.enumerated() {
        if index > 0 { lines += ", ".utf8 }
        write(level)(&lines)
      }
      lines += "\r\n".utf8
    }
    return lines
  }
}

extension Call {
  func explanation(of scope: LimitScope) -> String {
    let limits = snapshot.configuration.rateLimit
    let tenant = trail.tenant?.configured
    let own = tenant?.rateLimit
    let entry = "of its entry in the gateway's tenants file"
    func tooMany(_ what: String, _ rate: GatewayConfiguration.Rate?, _ member: String) -> String {
      "more \(what) than tenant \(tenant?.id.string ?? "") may make"
        + "\(rate.map { " (\($0.written))" } ?? ""); the limit is `\(member)` \(entry)"
    }
    return switch scope {
    case .tenant: tooMany("requests", own?.rate, "rateLimit")
    case .perAppInstance:
      tooMany("requests about this AppInstance", own?.perAppInstance, "rateLimit.perAppInstance")
    case .reads:
      tooMany("requests that read", own?.rate(of: Tenant.RateLimit.reads), "rateLimit.operations.read")
    case .operation(let operation):
      tooMany("\(operation.name) requests", own?.rate(of: operation.name), "rateLimit.\(scope.name)")
    case .concurrency:
      "as many requests in flight as tenant \(tenant?.id.string ?? "") may have (\(own?.concurrency ?? 0)); "
        + "the limit is `rateLimit.concurrency` \(entry)"
    case .source:
      "more requests than may come from one address\(limits.perSourceAddress.map { " (\($0.written))" } ?? ""); "
        + "the limit is `rateLimit.perSourceAddress` of the gateway's configuration"
    case .upstream:
      "more requests of all tenants together than the gateway forwards"
        + "\(limits.upstreamBudget.map { " (\($0.written))" } ?? ""); "
        + "the limit is `rateLimit.upstreamBudget` of the gateway's configuration"
    }
  }
}

extension GatewayConfiguration.UpstreamBudget {
  fileprivate var written: String {
    rate.written + (adaptive ? ", less for a while after upstream throttled" : "")
  }
}
