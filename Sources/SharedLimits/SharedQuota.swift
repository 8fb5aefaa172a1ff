internal import Primitives
package import RateLimiting
internal import RedisWire

/// The account's quota as it is configured, and as the store is told of it.
package final class SharedQuota: Sendable {
  package let settings: UpstreamBudget.Settings
  let words: [UInt8]
  /// Those alone, as they are sent.
  let arguments: RedisArguments

  package init(_ settings: UpstreamBudget.Settings) {
    self.settings = settings
    words = Array("\(settings.requestsPerSecond) \(settings.burst) \(settings.adaptive ? 1 : 0)".utf8)
    arguments = RedisArguments([words])
  }

  /// The rate of which so great a part is in force, and the burst.
  package func limit(factor: Double) -> GCRA {
    GCRA(requestsPerSecond: settings.requestsPerSecond * factor, burst: settings.burst)
  }
}

/// A tenant as the store knows it when it shares the quota.
package final class QuotaTenant: Sendable {
  let name: RedisArguments
  let nameAndWeight: RedisArguments

  /// - Parameter weight: above 0; the tenant's own rate, or the mean of the others' for a tenant without one.
  package init(_ name: [UInt8], weight: Double) {
    self.name = RedisArguments([name])
    let weight = weight > 0 && weight.isFinite ? weight : 1
    nameAndWeight = RedisArguments([Array("\(weight) ".utf8) + name])
  }
}

/// A tenant's wish for a turn in the quota.
package struct QuotaWish: Sendable {
  package let tenant: QuotaTenant
  /// Nanoseconds that the request may wait for its turn.
  let queueFor: Int64

  package init(_ tenant: QuotaTenant, queueFor: Int64) {
    self.tenant = tenant
    self.queueFor = queueFor
  }
}
