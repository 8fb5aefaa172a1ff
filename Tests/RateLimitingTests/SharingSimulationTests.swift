import Glibc
import Primitives
import TestSupport
import Testing

@testable import RateLimiting

/// The upstream budget among tenants whose requests come in any way. Each seed is a pattern of its own; `GATEHOUSE_SEEDS=5000`
/// tries as many for each promise, `GATEHOUSE_SEEDS=17..17` that one. Chance can be against any promise that is about a
/// number of requests: one pattern of a hundred may miss it, and none by much.
///
/// Without a queue a request is decided on when it comes, so what is promised then needs a burst of some requests for each
/// tenant; with one it need not.
@Suite("Sharing, simulated")
struct SharingSimulationTests {
  private static let seconds = 25.0
  /// Until then the first burst is used up and it is known who asks for how much.
  private static let start = 5.0

  private static let seeds: ClosedRange<UInt64> = {
    guard let text = getenv("GATEHOUSE_SEEDS").map({ String(cString: $0) }) else { return 1...40 }
    let numbers = text.split(separator: ".").compactMap { UInt64($0) }
    guard let first = numbers.first, let last = numbers.last else {
      preconditionFailure("GATEHOUSE_SEEDS is a number, or a range as in 17..40")
    }
    return numbers.count > 1 ? first...last : 1...last
  }()

  private static func scenario(_ chance: inout SeededGenerator) -> SharingScenario {
    let tenants = Int.random(in: 2...6, using: &chance)
    let waits: [Double] = [0, 0.5, 2]
    let queueFor = waits[Int.random(in: waits.indices, using: &chance)]
    let least = queueFor == 0 ? 4.0 : 1
    let burst = (Double(tenants) * Double.random(in: least...8, using: &chance)).rounded(.up)
    return SharingScenario(
      rate: Double.random(in: 10...50, using: &chance), burst: Int(burst),
      weights: (0..<tenants).map { _ in Double.random(in: 1...5, using: &chance) }, queueFor: queueFor)
  }

  /// Requests of each tenant, so many times its share a second.
  private static func arrivals(
    _ scenario: SharingScenario, load: ClosedRange<Double>, of kinds: [Arrivals] = Arrivals.allCases,
    _ chance: inout SeededGenerator
  ) -> [[Double]] {
    scenario.shares.map { share in
      let kind = kinds.randomElement(using: &chance) ?? .regular
      return kind.times(
        rate: share * Double.random(in: load, using: &chance), seconds: seconds, &chance)
    }
  }

  /// What became of a promise.
  private struct Tally {
    private var kept = 0
    private var missed: [String] = []

    /// - Parameter slack: what `got` may be off by beyond the promise, if that happens seldom.
    mutating func hold(
      _ got: Double, to range: ClosedRange<Double>, slack: Double, _ what: @autoclosure () -> String
    ) {
      if range.contains(got) {
        kept += 1
      } else {
        missed.append("\(what()): \(got), expected \(range)")
        let wide = range.lowerBound - slack...range.upperBound + slack
        #expect(wide.contains(got), "\(what()): \(got), expected \(range)")
      }
    }

    func conclude() { #expect(missed.count <= (missed.count + kept) / 100, "\(missed)") }
  }

  @Test("what comes in is used while anybody asks, and nothing beyond it")
  func conservation() {
    var tally = Tally()
    for seed in Self.seeds {
      var chance = SeededGenerator(seed: seed)
      var scenario = Self.scenario(&chance)
      scenario.arrivals = Self.arrivals(scenario, load: 0.2...4, &chance)
      let outcome = scenario.run()
      // Some of the burst is kept for those who are expected: a quarter of it is anybody's at any time.
      let asked = scenario.arrivals.joined().sorted()
      let plain = Double(plainBucket(asked, rate: scenario.rate, burst: max(1, Double(scenario.burst) / 4)))
      let most = scenario.rate * (Self.seconds + scenario.queueFor) + Double(scenario.burst) + 1
      tally.hold(
        Double(outcome.total), to: min(0.95 * plain - 2, most)...most, slack: 0.1 * plain, "seed \(seed)")
      #expect(Double(outcome.total) <= most, "seed \(seed)")
    }
    tally.conclude()
  }

  @Test("tenants that always want more get shares by their rates, within 5 %")
  func proportionality() {
    var tally = Tally()
    for seed in Self.seeds {
      var chance = SeededGenerator(seed: seed)
      var scenario = Self.scenario(&chance)
      scenario.arrivals = Self.arrivals(scenario, load: 3...8, of: [.regular, .random], &chance)
      let grants = scenario.run().grants.filter { $0.time >= Self.start }
      for (tenant, share) in scenario.shares.enumerated() {
        let due = Double(grants.count) * share / scenario.rate
        let got = Double(grants.count { $0.tenant == tenant })
        // A few requests more or less are no share.
        let room = max(0.05 * due, 4)
        tally.hold(got, to: due - room...due + room, slack: 0.05 * due + 2, "seed \(seed), tenant \(tenant)")
      }
    }
    tally.conclude()
  }

  @Test("nobody is below a guaranteed part, whatever others ask for")
  func guarantee() {
    var tally = Tally()
    for seed in Self.seeds {
      var chance = SeededGenerator(seed: seed)
      var scenario = Self.scenario(&chance)
      scenario.arrivals = Self.arrivals(scenario, load: 0.2...4, &chance)
      let granted = scenario.run().granted
      for (tenant, share) in scenario.shares.enumerated() {
        // As if it had its share of the rate, and half of its share of the burst, to itself.
        let burst = max(1, 0.5 * Double(scenario.burst) * share / scenario.rate)
        let own = Double(plainBucket(scenario.arrivals[tenant], rate: share, burst: burst))
        tally.hold(
          Double(granted[tenant]), to: 0.95 * own - 3...(.infinity), slack: 0.1 * own + 2,
          "seed \(seed), tenant \(tenant)")
      }
    }
    tally.conclude()
  }

  @Test("a tenant at ten times its rate costs the others, who keep to theirs, at most 5 %")
  func noise() {
    var tally = Tally()
    for seed in Self.seeds {
      var chance = SeededGenerator(seed: seed)
      var scenario = Self.scenario(&chance)
      let shares = scenario.shares
      scenario.arrivals = Self.arrivals(scenario, load: 0.5...0.9, &chance).enumerated().map {
        tenant, times in
        let burst = max(1, Double(scenario.burst) * shares[tenant] / scenario.rate)
        return withinRate(times, rate: shares[tenant], burst: burst)
      }
      let loud = Int.random(in: shares.indices, using: &chance)
      func others(_ outcome: SharingScenario.Outcome) -> Int {
        outcome.grants.count { $0.time >= Self.start && $0.tenant != loud }
      }
      let quiet = others(scenario.run())
      let kind = Arrivals.allCases.randomElement(using: &chance) ?? .regular
      scenario.arrivals[loud] = kind.times(rate: 10 * shares[loud], seconds: Self.seconds, &chance)
      let noisy = others(scenario.run())
      tally.hold(
        Double(noisy), to: 0.95 * Double(quiet) - 2...(.infinity), slack: 0.1 * Double(quiet), "seed \(seed)")
    }
    tally.conclude()
  }

  @Test("who may wait has a turn in time, or is told at once that it will not")
  func waiting() {
    for seed in Self.seeds {
      var chance = SeededGenerator(seed: seed)
      var scenario = Self.scenario(&chance)
      scenario.queueFor = Double.random(in: 0.2...2, using: &chance)
      scenario.arrivals = Self.arrivals(scenario, load: 0.2...4, &chance)
      let outcome = scenario.run()
      #expect(outcome.longestWait <= scenario.queueFor + 0.026, "seed \(seed)")
      // In vain waits who came before others of whom nobody knew.
      #expect(Double(outcome.inVain) <= 0.2 * Double(outcome.waited) + 5, "seed \(seed): \(outcome.inVain)")
    }
  }
}
