package import Primitives

/// Bounds retries to a share of the requests, so that retries cannot multiply the load of an upstream
/// that is down. Each request pays in its share of a retry; each retry takes a whole one out.
package struct RetryBudget: Sendable {
  /// In hundredths of a retry.
  private var balance: Int
  private let percent: Int
  private static let price = 100
  /// What a gateway with little traffic starts with, in retries.
  private static let reserve = 10
  /// What quiet times can save up, in retries.
  private static let most = 100

  /// `percent` of requests that may be retried; 0 means none.
  package init(percent: Int) {
    self.percent = max(0, percent)
    balance = percent > 0 ? Self.reserve * Self.price : 0
  }

  /// A request came in.
  package mutating func deposit() {
    balance = min(balance + percent, Self.most * Self.price)
  }

  /// Whether a retry may be made; if so it is paid.
  package mutating func withdraw() -> Bool {
    guard balance >= Self.price else { return false }
    balance -= Self.price
    return true
  }
}

/// Exponential backoff with full jitter: any wait between nothing and a bound that doubles, so that
/// callers who failed together do not come back together.
package struct Backoff: Sendable {
  /// Nanoseconds.
  private let base: Int64
  private let cap: Int64

  package init(baseNanoseconds: Int64 = 50_000_000, capNanoseconds: Int64 = 5_000_000_000) {
    base = max(1, baseNanoseconds)
    cap = max(base, capNanoseconds)
  }

  /// Nanoseconds to wait before retry number `retry`, from 0.
  package func delay(retry: Int, entropy: some Entropy) -> Int64 {
    let doublings = min(max(0, retry), 40)
    let bound = base > cap >> Int64(doublings) ? cap : base << Int64(doublings)
    return Int64(entropy.next().multipliedFullWidth(by: UInt64(bound) + 1).high)
  }
}
