import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("The upstream budget")
struct UpstreamBudgetTests {
  /// A tenant that asks at regular intervals.
  struct Caller {
    let tenant: Text
    var weight = 10.0
    let requestsPerSecond: Double
    var from = 0.0
    var until = Double.infinity
  }

  /// Requests granted to each tenant, in order of time.
  static func simulate(
    _ callers: [Caller], rate: Double, burst: Int, seconds: Double, queueFor: Int64 = 0,
    budget: inout UpstreamBudget
  ) -> [Text: [Double]] {
    var events: [(time: Double, caller: Caller)] = []
    for (index, caller) in callers.enumerated() {
      // Offset by a little, so that no two ask at once by construction.
      var time = caller.from + 0.0001 * Double(index + 1)
      while time < min(seconds, caller.until) {
        events.append((time, caller))
        time += 1 / caller.requestsPerSecond
      }
    }
    var granted: [Text: [Double]] = [:]
    for (time, caller) in events.sorted(by: { $0.time < $1.time }) {
      let turn = budget.ask(caller.tenant, weight: caller.weight, queueFor: queueFor, now: at(time))
      if case .granted(let delay) = turn {
        granted[caller.tenant, default: []].append(time + Double(delay) / 1e9)
      }
    }
    return granted
  }

  static func simulate(
    _ callers: [Caller], rate: Double = 20, burst: Int = 20, seconds: Double = 60, queueFor: Int64 = 0
  ) -> [Text: [Double]] {
    var budget = UpstreamBudget(requestsPerSecond: rate, burst: burst, adaptive: false, now: at(0))
    return simulate(
      callers, rate: rate, burst: burst, seconds: seconds, queueFor: queueFor, budget: &budget)
  }

  private func count(_ granted: [Text: [Double]], _ tenant: Text, after start: Double = 0) -> Double {
    Double(granted[tenant, default: []].count { $0 >= start })
  }

  @Test("lets one tenant alone use all of it, and no more")
  func alone() {
    let granted = Self.simulate([Caller(tenant: "a", requestsPerSecond: 200)])
    #expect((0.97 * 1200...1220).contains(count(granted, "a")))
  }

  @Test("starts with the whole burst")
  func burst() {
    let granted = Self.simulate([Caller(tenant: "a", requestsPerSecond: 10_000, until: 0.01)])
    #expect((19...21).contains(count(granted, "a")))
  }

  @Test("divides itself evenly between tenants that want more than their share")
  func even() {
    let granted = Self.simulate([
      Caller(tenant: "a", requestsPerSecond: 2000), Caller(tenant: "b", requestsPerSecond: 40),
    ])
    for tenant: Text in ["a", "b"] {
      #expect((0.9 * 600...1.1 * 620).contains(count(granted, tenant)), "\(tenant)")
    }
  }

  @Test("divides itself by weight")
  func weighted() {
    let granted = Self.simulate([
      Caller(tenant: "a", weight: 30, requestsPerSecond: 500),
      Caller(tenant: "b", weight: 10, requestsPerSecond: 500),
    ])
    let ratio = count(granted, "a", after: 5) / count(granted, "b", after: 5)
    #expect((2.7...3.3).contains(ratio))
  }

  @Test("serves a tenant below its share however busy another is")
  func noStarvation() {
    for asks in [0.5, 2, 5, 9] {
      let granted = Self.simulate([
        Caller(tenant: "flood", requestsPerSecond: 5000), Caller(tenant: "light", requestsPerSecond: asks),
      ])
      #expect(count(granted, "light") >= 0.95 * asks * 60 - 1, "\(asks) a second")
    }
  }

  @Test("gives to others what a tenant leaves of its share")
  func workConserving() {
    let granted = Self.simulate([
      Caller(tenant: "flood", requestsPerSecond: 5000), Caller(tenant: "light", requestsPerSecond: 2),
    ])
    #expect(count(granted, "flood", after: 5) >= 0.95 * 18 * 55)
    let total = count(granted, "flood") + count(granted, "light")
    #expect((0.97 * 1200...1221).contains(total))
  }

  @Test("gives a tenant's share to others soon after it went away")
  func leaving() {
    let granted = Self.simulate([
      Caller(tenant: "a", requestsPerSecond: 100), Caller(tenant: "b", requestsPerSecond: 100, until: 20),
    ])
    #expect(count(granted, "a", after: 25) >= 0.97 * 20 * 35)
  }

  @Test("serves a newcomer within a fraction of a second")
  func newcomer() throws {
    let granted = Self.simulate([
      Caller(tenant: "flood", requestsPerSecond: 5000),
      Caller(tenant: "new", requestsPerSecond: 10, from: 30),
    ])
    let first = try #require(granted["new"]?.first)
    #expect(first < 30.5)
  }

  @Test("serves each of more tenants than its burst has requests")
  func manyTenants() {
    let callers = (0..<60).map { Caller(tenant: Text("t\($0)"), requestsPerSecond: 20) }
    let granted = Self.simulate(callers, rate: 20, burst: 20, seconds: 120)
    for caller in callers {
      // A sixtieth of 20 a second is 40 in two minutes.
      #expect((20...60).contains(count(granted, caller.tenant)), "\(caller.tenant)")
    }
    let total = granted.values.reduce(0) { $0 + $1.count }
    #expect(Double(total) >= 0.95 * 2400)
  }

  @Test(
    "never lets more through than rate and burst allow, in any stretch of time",
    arguments: [1, 2, 3] as [UInt64])
  func upperBound(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    let callers = (0..<5).map { index in
      let from = Double(entropy.next() % 20)
      return Caller(
        tenant: Text("t\(index)"), weight: Double(1 + entropy.next() % 50),
        requestsPerSecond: Double(1 + entropy.next() % 300), from: from,
        until: from + Double(entropy.next() % 40))
    }
    for queueFor in [0, seconds(0.5)] {
      let times = Self.simulate(callers, queueFor: queueFor).values.joined().sorted()
      for start in times.indices {
        for end in stride(from: start, to: times.count, by: 7) {
          let most = 20 * (times[end] - times[start]) + 20 + 1.1
          #expect(Double(end - start + 1) <= most)
        }
      }
    }
  }

  @Test("lets requests wait for their turn, spaced by the rate, and no longer than they may")
  func queueing() {
    var budget = UpstreamBudget(requestsPerSecond: 10, burst: 1, adaptive: false, now: at(0))
    var turns: [UpstreamBudget.Turn] = []
    for _ in 0..<5 { turns.append(budget.ask("a", weight: 1, queueFor: seconds(0.3), now: at(0))) }
    #expect(
      turns == [
        .granted(delay: 0), .granted(delay: seconds(0.1)), .granted(delay: seconds(0.2)),
        .granted(delay: seconds(0.3)), .refused(retryAfter: seconds(0.4)),
      ])
  }

  @Test("takes back a turn that was not used")
  func giveBack() {
    var budget = UpstreamBudget(requestsPerSecond: 10, burst: 1, adaptive: false, now: at(0))
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted(delay: 0))
    budget.giveBack("a")
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted(delay: 0))
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .refused(retryAfter: seconds(0.1)))
  }

  @Test("says how long to wait, and waiting that long is enough")
  func retryAfter() {
    var budget = UpstreamBudget(requestsPerSecond: 4, burst: 2, adaptive: false, now: at(0))
    var now = 0.0
    for _ in 0..<50 {
      switch budget.ask("a", weight: 1, queueFor: 0, now: at(now)) {
      case .granted: continue
      case .refused(let wait):
        now += Double(wait) / 1e9 + 0.0001
        #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(now)) == .granted(delay: 0))
      }
    }
  }

  @Test(
    "keeps its accounts apart however tenants come and go", arguments: [4, 5] as [UInt64])
  func comingAndGoing(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    var budget = UpstreamBudget(requestsPerSecond: 50, burst: 50, adaptive: false, now: at(0))
    var now = 0.0
    var granted = 0
    for _ in 0..<20_000 {
      now += Double(entropy.next() % 40) / 1000
      // Now and then nobody asks for longer than an account is kept.
      if entropy.next() % 500 == 0 { now += 4 }
      let tenant = Int(entropy.next() % 200)
      switch budget.ask(tenant, weight: 1, queueFor: 0, now: at(now)) {
      case .granted:
        granted += 1
        if entropy.next() % 10 == 0 {
          budget.giveBack(tenant)
          granted -= 1
        }
      case .refused(let wait): #expect(wait > 0)
      }
    }
    #expect(Double(granted) <= 50 * now + 51)
    #expect(granted > 1000)
  }

  @Test("without a sensible weight takes the tenant as one with the whole rate")
  func weightless() {
    var budget = UpstreamBudget(requestsPerSecond: 10, burst: 4, adaptive: false, now: at(0))
    for weight in [0, -3, .nan] as [Double] {
      #expect(budget.ask("a", weight: weight, queueFor: 0, now: at(0)) == .granted(delay: 0))
    }
  }
}

@Suite("An adaptive budget")
struct AdaptiveBudgetTests {
  @Test("halves when upstream throttles, once a second at most")
  func decrease() {
    var budget = UpstreamBudget(requestsPerSecond: 20, burst: 20, adaptive: true, now: at(0))
    for _ in 0..<10 { budget.throttled(now: at(0.5)) }
    #expect(budget.rate == 10)
    budget.throttled(now: at(1.5))
    #expect(budget.rate == 5)
  }

  @Test("keeps a twentieth however long upstream throttles")
  func floor() {
    var budget = UpstreamBudget(requestsPerSecond: 20, burst: 20, adaptive: true, now: at(0))
    for second in 0..<100 { budget.throttled(now: at(Double(second))) }
    #expect(abs(budget.rate - 1) < 1e-9)
  }

  @Test("rises by a tenth a second without throttling, up to what is configured")
  func increase() {
    var budget = UpstreamBudget(requestsPerSecond: 20, burst: 20, adaptive: true, now: at(0))
    budget.throttled(now: at(0))
    var rates: [Double] = []
    for second in 1...7 {
      _ = budget.ask("a", weight: 1, queueFor: 0, now: at(Double(second)))
      rates.append((budget.rate * 1e6).rounded() / 1e6)
    }
    #expect(rates == [12, 14, 16, 18, 20, 20, 20])
  }

  @Test("does not change when it is not to adapt")
  func fixed() {
    var budget = UpstreamBudget(requestsPerSecond: 20, burst: 20, adaptive: false, now: at(0))
    budget.throttled(now: at(1))
    #expect(budget.rate == 20)
  }

  @Test("settles where upstream's own limit is")
  func converges() {
    var budget = UpstreamBudget(requestsPerSecond: 100, burst: 10, adaptive: true, now: at(0))
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
