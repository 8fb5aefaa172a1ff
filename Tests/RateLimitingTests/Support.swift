import Primitives
import Synchronization

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
