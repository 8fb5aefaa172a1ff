import Primitives
import Synchronization

@testable import RateLimiting

/// Seconds on a clock that starts at 1000, so that nothing depends on starting at zero.
func at(_ seconds: Double) -> MonotonicInstant {
  MonotonicInstant(nanoseconds: 1_000_000_000_000 + Int64((seconds * 1e9).rounded()))
}

func seconds(_ count: Double) -> Int64 { Int64((count * 1e9).rounded()) }

/// SplitMix64 from a seed: the same bits on every run.
final class SeededEntropy: Entropy, Sendable {
  private let state: Mutex<UInt64>

  init(seed: UInt64) { state = Mutex(seed) }

  func next() -> UInt64 {
    state.withLock { state in
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}

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
