import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("An adaptive budget")
struct AdaptiveBudgetTests {
  @Test("halves when upstream throttles, once a second at most")
  func decrease() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: true), now: at(0))
    for _ in 0..<10 { budget.throttled(now: at(0.5)) }
    #expect(budget.rate == 10)
    budget.throttled(now: at(1.5))
    #expect(budget.rate == 5)
  }

  @Test("keeps a twentieth however long upstream throttles")
  func floor() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: true), now: at(0))
    for second in 0..<100 { budget.throttled(now: at(Double(second))) }
    #expect(abs(budget.rate - 1) < 1e-9)
  }

  @Test("rises by a tenth a second without throttling, up to what is configured")
  func increase() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: true), now: at(0))
    budget.throttled(now: at(0))
    var rates: [Double] = []
    for second in 1...7 {
      _ = budget.ask("a", weight: 1, queueFor: 0, now: at(Double(second)))
      rates.append((budget.rate * 1e6).rounded() / 1e6)
    }
    #expect(rates == [12, 14, 16, 18, 20, 20, 20])
  }

  @Test("is at half the way within 20 seconds of the last throttle, and there within 60, from wherever")
  func recovery() {
    for throttles in [1, 3, 100] {
      var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: true), now: at(0))
      for second in 0..<throttles { budget.throttled(now: at(Double(second))) }
      let (last, lowest) = (Double(throttles - 1), budget.rate)
      // Nobody need ask meanwhile.
      var later = budget
      _ = later.ask("a", weight: 1, queueFor: 0, now: at(last + 60))
      #expect(later.rate == 20)
      _ = budget.ask("a", weight: 1, queueFor: 0, now: at(last + 20))
      #expect(budget.rate >= (20 + lowest) / 2)
      #expect(budget.limit.burst == 20)
    }
  }

  @Test("is as low as before after a change of its numbers, and whole when it is to adapt no more")
  func change() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: true), now: at(0))
    budget.throttled(now: at(0))
    budget.change(to: .init(requestsPerSecond: 40, burst: 20, adaptive: true), now: at(0.1))
    #expect(budget.rate == 20)
    budget.change(to: .init(requestsPerSecond: 40, burst: 20, adaptive: false), now: at(0.2))
    #expect(budget.rate == 40)
  }

  @Test("does not change when it is not to adapt")
  func fixed() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 20, burst: 20, adaptive: false), now: at(0))
    budget.throttled(now: at(1))
    #expect(budget.rate == 20)
  }

  @Test("settles where upstream's own limit is")
  func converges() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 100, burst: 10, adaptive: true), now: at(0))
    let upstream = GCRA(requestsPerSecond: 30, burst: 10)
    var stored: MonotonicInstant?
    var served = 0
    var throttled = 0
    for tick in 0..<60_000 {
      let now = at(Double(tick) / 500)
      guard case .granted = budget.ask("a", weight: 1, queueFor: 0, now: now) else { continue }
      if upstream.decide(&stored, now: now).isAllowed {
        served += 1
      } else {
        throttled += 1
        budget.throttled(now: now)
      }
    }
    #expect(Double(served) >= 0.75 * 30 * 120)
    #expect(Double(throttled) <= 0.25 * Double(served))
  }
}
