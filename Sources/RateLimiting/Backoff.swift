package import Primitives

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
