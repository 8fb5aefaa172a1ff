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
  /// When it is no longer expected back.
  private var expectedUntil: MonotonicInstant
  /// What it asked for in this second, and the most that it did in one before, which fades.
  private var asked = 0.0
  private var peak = 0.0
  private var second: MonotonicInstant

  /// Time for SDKs to retry, and for the next of its requests to come.
  private static let expectedFor: Int64 = 10_000_000_000
  /// Time in which a tenant that asks seldom comes back.
  private static let keptFor: Int64 = 60_000_000_000
  private static let oneSecond: Int64 = 1_000_000_000
  /// Each second.
  private static let fading = 0.95

  init(tenant: Int, now: MonotonicInstant) {
    self.tenant = tenant
    expectedUntil = now
    second = now
  }

  /// Requests that it may be expected to bring at once.
  var demand: Double { max(asked, peak) }

  mutating func ask(now: MonotonicInstant) {
    let seconds = now.nanoseconds(since: second) / Self.oneSecond
    if seconds > 0 {
      peak = demand
      for _ in 0..<min(seconds, 100) { peak *= Self.fading }
      asked = 0
      second = now
    }
    asked += 1
    expect(from: now, after: 0)
  }

  /// It is expected back after so many nanoseconds, which callers are told in whole seconds.
  mutating func expect(from now: MonotonicInstant, after wait: Int64) {
    let whole = min(wait / Self.oneSecond + (wait > 0 ? 1 : 0), 1_000_000) * Self.oneSecond
    expectedUntil = max(expectedUntil, now.advanced(byNanoseconds: whole + Self.expectedFor))
  }

  /// Whether others are refused for what is kept for it, even if that is lost then.
  func isExpected(now: MonotonicInstant) -> Bool { !waiting.isEmpty || now < expectedUntil }

  func isIdle(now: MonotonicInstant) -> Bool {
    waiting.isEmpty && now.nanoseconds(since: expectedUntil) >= Self.keptFor
  }
}
