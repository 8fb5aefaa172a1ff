internal import Primitives

/// What is counted of a tenant while there are more requests than the account's quota.
struct BudgetAccount: Sendable {
  struct Waiting: BitwiseCopyable, Sendable {
    let number: UInt64
    let deadline: MonotonicInstant
  }

  /// Its number.
  let tenant: Int
  var weight = 0.0
  /// Tokens that are kept for it; below 0 what it owes.
  var credits = 0.0
  /// In the order in which they came.
  var waiting: [Waiting] = []
  private var keptUntil: MonotonicInstant
  /// What it asked for in this second and in the one before.
  private var asked = 0
  private var askedBefore = 0
  private var second: MonotonicInstant

  /// Time for SDK retries to come back.
  private static let keptFor: Int64 = 3_000_000_000
  private static let oneSecond: Int64 = 1_000_000_000

  init(tenant: Int, now: MonotonicInstant) {
    self.tenant = tenant
    keptUntil = now
    second = now
  }

  /// Requests that it may be expected to bring at once.
  var demand: Int { max(asked, askedBefore) + waiting.count }

  mutating func ask(now: MonotonicInstant) {
    let elapsed = now.nanoseconds(since: second)
    if elapsed >= Self.oneSecond {
      askedBefore = elapsed < 2 * Self.oneSecond ? asked : 0
      asked = 0
      second = now
    }
    asked += 1
    keep(until: now, after: 0)
  }

  /// It is expected back after so many nanoseconds, which callers are told in whole seconds.
  mutating func keep(until now: MonotonicInstant, after wait: Int64) {
    let whole = min(wait / Self.oneSecond + (wait > 0 ? 1 : 0), 1_000_000) * Self.oneSecond
    keptUntil = max(keptUntil, now.advanced(byNanoseconds: whole + Self.keptFor))
  }

  func isIdle(now: MonotonicInstant) -> Bool { waiting.isEmpty && now >= keptUntil }
}
