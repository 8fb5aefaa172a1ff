internal import Primitives
internal import Synchronization

/// SplitMix64: the same numbers for the same seed, on every machine, so that a failure can be had again.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// True so many times of a hundred.
  package mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// The generator as a source of entropy, for any thread.
package final class SeededEntropy: Entropy {
  private let generator: Mutex<SeededGenerator>

  package init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

  package func next() -> UInt64 { generator.withLock { $0.next() } }
}

/// Always the same number, for ids that a test can name.
package struct FixedEntropy: Entropy {
  private let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  package func next() -> UInt64 { number }
}
