internal import Primitives
package import RateLimiting

/// The account's quota as it is configured, with the words that tell the store so.
package struct SharedQuota: Sendable, Hashable {
  package let settings: UpstreamBudget.Settings
  let words: [UInt8]

  package init(_ settings: UpstreamBudget.Settings) {
    self.settings = settings
    words = Array("\(settings.requestsPerSecond) \(settings.burst) \(settings.adaptive ? 1 : 0)".utf8)
  }

  /// The rate of which so great a part is in force, and the burst.
  package func limit(factor: Double) -> GCRA {
    GCRA(requestsPerSecond: settings.requestsPerSecond * factor, burst: settings.burst)
  }
}

/// A tenant as the store knows it when it shares the quota, with the words that tell it so.
package struct QuotaTenant: Sendable, Hashable {
  let name: [UInt8]
  let words: [UInt8]

  /// - Parameter weight: above 0; the tenant's own rate, or the mean of the others' for a tenant without one.
  package init(_ name: [UInt8], weight: Double) {
    self.name = name
    words = Array("\(weight > 0 && weight.isFinite ? weight : 1) ".utf8) + name
  }
}

/// A tenant's wish for a turn in the quota.
package struct SharedBudget: Sendable, Hashable {
  package let quota: SharedQuota
  package let tenant: QuotaTenant
  /// Nanoseconds that the request may wait for its turn.
  package let queueFor: Int64

  package init(_ quota: SharedQuota, _ tenant: QuotaTenant, queueFor: Int64) {
    self.quota = quota
    self.tenant = tenant
    self.queueFor = queueFor
  }
}
