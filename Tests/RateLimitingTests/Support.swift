import Primitives
import Synchronization

@testable import RateLimiting

/// Seconds on a clock that starts at 1000, so that nothing depends on starting at zero.
func at(_ seconds: Double) -> MonotonicInstant {
  MonotonicInstant(nanoseconds: 1_000_000_000_000 + Int64((seconds * 1e9).rounded()))
}

func seconds(_ count: Double) -> Int64 { Int64((count * 1e9).rounded()) }

extension UpstreamBudget {
  /// Tenants by name, so that a test says who asks.
  mutating func ask(_ tenant: Text, weight: Double, queueFor: Int64, now: MonotonicInstant) -> Turn {
    ask(Self.number(of: tenant), weight: weight, queueFor: queueFor, now: now)
  }

  mutating func giveBack(_ tenant: Text) { giveBack(Self.number(of: tenant)) }

  private static func number(of tenant: Text) -> Int {
    let named: [Text: Int] = ["a": 1, "b": 2, "flood": 3, "light": 4, "new": 5]
    return named[tenant] ?? 10 + (Int(tenant.string.dropFirst()) ?? 0)
  }
}
