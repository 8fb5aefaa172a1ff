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
