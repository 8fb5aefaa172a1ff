internal import AuditTrail
internal import Primitives

/// What was counted in each of the last sixty minutes. It is made of the counters, which are looked at once a minute, so a
/// request costs nothing for it.
struct MinuteHistory {
  struct Minute: Sendable {
    let begin: WallClockTime
    let end: WallClockTime
    let tally: Tally
  }

  static let length = 60

  /// Whole minutes, oldest first; fewer when the gateway has not run for as long.
  private(set) var minutes: [Minute] = []
  private var counts = Metrics.Counts()
  private var countedAt: WallClockTime

  init(startedAt: WallClockTime) { countedAt = startedAt }

  /// Whether a minute of the clock has ended since the counters were last taken.
  func isDue(at now: WallClockTime) -> Bool { now.seconds / 60 != countedAt.seconds / 60 }

  mutating func take(_ new: Metrics.Counts, at now: WallClockTime) {
    minutes.append(minute(until: new, at: now))
    if minutes.count > Self.length { minutes.removeFirst() }
    (counts, countedAt) = (new, now)
  }

  /// The minutes and the one that has begun.
  func all(with new: Metrics.Counts, at now: WallClockTime) -> [Minute] {
    (minutes + [minute(until: new, at: now)]).suffix(Self.length)
  }

  private func minute(until new: Metrics.Counts, at now: WallClockTime) -> Minute {
    Minute(begin: countedAt, end: now, tally: Tally(from: counts, to: new))
  }
}

/// What happened between two looks at the counters.
struct Tally: Sendable {
  struct TenantTally: Sendable {
    var requests = 0
    var created = 0
    var denied = 0
    var throttled = 0
  }

  struct RuleKey: Hashable, Sendable {
    let policy: Text
    let rule: String
    let mode: StaticText
  }

  private(set) var decisions: [AuditDecision: Int] = [:]
  private(set) var created = 0
  private(set) var tenants: [Text: TenantTally] = [:]
  private(set) var rules: [RuleKey: Int] = [:]
  private(set) var limited: [Metrics.LimitKey: Int] = [:]
  private(set) var duration = DurationHistogram()
  private(set) var upstream = DurationHistogram()

  /// Tenants beyond that many are in the sums only; those with the lowest names are kept.
  private static let mostTenants = 256

  init() {}

  init(from earlier: Metrics.Counts, to later: Metrics.Counts) {
    for (key, count) in later.requests {
      add(count - (earlier.requests[key] ?? 0), of: key)
    }
    for (tenant, count) in later.created { add(created: count - (earlier.created[tenant] ?? 0), by: tenant) }
    for (key, count) in later.violations where count > earlier.violations[key] ?? 0 {
      rules[RuleKey(policy: key.policy, rule: key.rule, mode: key.mode), default: 0] +=
        count - (earlier.violations[key] ?? 0)
    }
    for (key, count) in later.limited where count > earlier.limited[key] ?? 0 {
      limited[key] = count - (earlier.limited[key] ?? 0)
    }
    duration = later.requestDurations.sum.since(earlier.requestDurations.sum)
    upstream = later.upstreamDuration.since(earlier.upstreamDuration)
    if tenants.count > Self.mostTenants {
      for name in tenants.keys.sorted().dropFirst(Self.mostTenants) { tenants[name] = nil }
    }
  }

  private mutating func add(_ count: Int, of key: Metrics.RequestKey) {
    guard count > 0 else { return }
    decisions[key.decision, default: 0] += count
    guard !key.tenant.isEmpty else { return }
    tenants[key.tenant, default: TenantTally()].requests += count
    if key.decision == .denied { tenants[key.tenant, default: TenantTally()].denied += count }
    if key.decision == .throttled { tenants[key.tenant, default: TenantTally()].throttled += count }
  }

  private mutating func add(created count: Int, by tenant: Text) {
    guard count > 0 else { return }
    created += count
    if !tenant.isEmpty { tenants[tenant, default: TenantTally()].created += count }
  }

  mutating func add(_ other: Tally) {
    decisions.merge(other.decisions, uniquingKeysWith: +)
    created += other.created
    rules.merge(other.rules, uniquingKeysWith: +)
    limited.merge(other.limited, uniquingKeysWith: +)
    duration.add(other.duration)
    upstream.add(other.upstream)
    tenants.merge(other.tenants) { mine, its in
      TenantTally(
        requests: mine.requests + its.requests, created: mine.created + its.created,
        denied: mine.denied + its.denied, throttled: mine.throttled + its.throttled)
    }
  }

  var requests: Int { decisions.values.reduce(0, +) }
}
