import Glibc
import Testing

/// The whole gateway under seeds; `Simulation.swift` says what is in it, `Promises.swift` what must hold.
@Suite struct SimulationTests {
  /// `GATEHOUSE_SEEDS=5000` tries as many, `GATEHOUSE_SEEDS=17..17` that one.
  private static var seeds: ClosedRange<UInt64> {
    guard let text = getenv("GATEHOUSE_SEEDS").map({ String(cString: $0) }) else { return 1...300 }
    let bounds = text.split(separator: "..").compactMap { UInt64($0) }
    guard let last = bounds.last, let first = bounds.count > 1 ? bounds.first : 1, first <= last else {
      preconditionFailure("GATEHOUSE_SEEDS is a number, or a range as in 17..40")
    }
    return first...last
  }

  /// Of seeds that fail alike a few are enough.
  private static let mostTold = 3

  @Test func promisesHold() {
    var broken = 0
    for seed in Self.seeds {
      let simulation = Simulation(seed: seed)
      simulation.run()
      guard let violation = simulation.violation else { continue }
      // Once more, to tell what happened.
      let again = Simulation(seed: seed, isTraced: true)
      again.run()
      Issue.record(
        "seed \(seed): \(violation)\n\(again.trace.suffix(120).joined(separator: "\n"))")
      broken += 1
      if broken == Self.mostTold { break }
    }
  }

  @Test func aSeedGivesTheSameRunAgain() {
    for seed in 1...5 as ClosedRange<UInt64> {
      let runs = (0..<2).map { _ in
        let simulation = Simulation(seed: seed, isTraced: true)
        simulation.run()
        return simulation.trace
      }
      #expect(runs[0].count > 20)
      #expect(runs[0] == runs[1])
    }
  }
}
