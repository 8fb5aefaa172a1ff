import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("The upstream budget")
struct UpstreamBudgetTests {
  private func count(_ granted: [Text: [Double]], _ tenant: Text, after start: Double = 0) -> Double {
    Double(granted[tenant, default: []].count { $0 >= start })
  }

  @Test("lets one tenant alone use all of it, and no more")
  func alone() {
    let granted = simulate([Caller(tenant: "a", requestsPerSecond: 200)])
    #expect((0.97 * 1200...1220).contains(count(granted, "a")))
  }

  @Test("starts with the whole burst")
  func burst() {
    let granted = simulate([Caller(tenant: "a", requestsPerSecond: 10_000, until: 0.01)])
    #expect((19...21).contains(count(granted, "a")))
  }

  @Test("divides itself evenly between tenants that want more than their share")
  func even() {
    let granted = simulate([
      Caller(tenant: "a", requestsPerSecond: 2000), Caller(tenant: "b", requestsPerSecond: 40),
    ])
    for tenant: Text in ["a", "b"] {
      #expect((0.9 * 600...1.1 * 620).contains(count(granted, tenant)), "\(tenant)")
    }
  }

  @Test("divides itself by weight")
  func weighted() {
    let granted = simulate([
      Caller(tenant: "a", weight: 30, requestsPerSecond: 500),
      Caller(tenant: "b", weight: 10, requestsPerSecond: 500),
    ])
    let ratio = count(granted, "a", after: 5) / count(granted, "b", after: 5)
    #expect((2.7...3.3).contains(ratio))
  }

  @Test("serves a tenant below its share however busy another is")
  func noStarvation() {
    for asks in [0.5, 2, 5, 9] {
      let granted = simulate([
        Caller(tenant: "flood", requestsPerSecond: 5000), Caller(tenant: "light", requestsPerSecond: asks),
      ])
      #expect(count(granted, "light") >= 0.95 * asks * 60 - 1, "\(asks) a second")
    }
  }

  @Test("gives to others what a tenant leaves of its share")
  func workConserving() {
    let granted = simulate([
      Caller(tenant: "flood", requestsPerSecond: 5000), Caller(tenant: "light", requestsPerSecond: 2),
    ])
    #expect(count(granted, "flood", after: 5) >= 0.95 * 18 * 55)
    let total = count(granted, "flood") + count(granted, "light")
    #expect((0.97 * 1200...1221).contains(total))
  }

  @Test("holds nothing for a tenant that was never short of any", arguments: [0.05, 1, 20])
  func nothingHeld(rate: Double) {
    var budget = UpstreamBudget(.init(requestsPerSecond: rate, burst: 20, adaptive: false), now: at(0))
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted)
    for _ in 0..<19 { #expect(budget.ask("b", weight: 1, queueFor: 0, now: at(0.001)) == .granted) }
    guard case .refused(let wait) = budget.ask("b", weight: 1, queueFor: 0, now: at(0.001)) else {
      Issue.record("a twenty-first request at once")
      return
    }
    // What comes in next is b's alone, too.
    let back = at(0.001).advanced(byNanoseconds: wait)
    #expect(Double(wait) / 1e9 <= 1 / rate)
    #expect(budget.ask("b", weight: 1, queueFor: 0, now: back) == .granted)
  }

  @Test("refuses nobody while there are enough tokens for all", arguments: [11, 12, 13] as [UInt64])
  func conservesWork(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    let burst = Int(1 + entropy.next() % 20)
    let rate = Double(1 + entropy.next() % 50)
    var budget = UpstreamBudget(
      .init(requestsPerSecond: rate, burst: burst, adaptive: false), now: at(0))
    var (bucket, asked, now) = (Double(burst), 0, 0.0)
    // As fast as the rate in the long run, in clusters that the burst covers: a plain bucket would grant each of them.
    for _ in 0..<5000 {
      let pause = Double(entropy.next() % 1000) / 500 / rate
      now += pause
      bucket = min(Double(burst), bucket + pause * rate)
      for _ in 0..<Int(entropy.next() % 3) where bucket >= 1.001 {
        bucket -= 1
        asked += 1
        let turn = budget.ask(10 + Int(entropy.next() % 7), weight: 1, queueFor: 0, now: at(now))
        #expect(turn == .granted)
      }
    }
    #expect(asked > 1000)
  }

  @Test("lets what it has through however many tenants want more", arguments: [21, 22, 23] as [UInt64])
  func fullUse(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    let callers = (0..<Int(2 + entropy.next() % 20)).map { index in
      Caller(
        tenant: Text("t\(index)"), weight: Double(1 + entropy.next() % 50),
        requestsPerSecond: Double(1 + entropy.next() % 300))
    }
    let wanted = callers.reduce(0) { $0 + $1.requestsPerSecond }
    for queueFor in [0, seconds(0.5)] {
      let total = simulate(callers, queueFor: queueFor).values.reduce(0) { $0 + $1.count }
      #expect(Double(total) >= 0.97 * min(20, wanted) * 60, "\(queueFor)")
    }
  }

  @Test("divides itself by weight between any tenants", arguments: [31, 32, 33] as [UInt64], [0, 2])
  func proportional(seed: UInt64, queueFor: Double) {
    let entropy = SeededEntropy(seed: seed)
    let callers = (0..<Int(2 + entropy.next() % 6)).map { index in
      Caller(
        tenant: Text("t\(index)"), weight: Double(5 + entropy.next() % 30),
        requestsPerSecond: Double(100 + entropy.next() % 900))
    }
    let weights = callers.reduce(0) { $0 + $1.weight }
    let granted = simulate(callers, seconds: 120, queueFor: seconds(queueFor))
    for caller in callers {
      let share = 20 * 110 * caller.weight / weights
      let got = count(granted, caller.tenant, after: 10)
      #expect((0.85 * share - 3...1.15 * share + 3).contains(got), "\(caller.tenant)")
    }
  }

  @Test("gives a tenant's share to others soon after it went away")
  func leaving() {
    let granted = simulate([
      Caller(tenant: "a", requestsPerSecond: 100), Caller(tenant: "b", requestsPerSecond: 100, until: 20),
    ])
    #expect(count(granted, "a", after: 25) >= 0.97 * 20 * 35)
  }

  @Test("serves a newcomer within a fraction of a second")
  func newcomer() throws {
    let granted = simulate([
      Caller(tenant: "flood", requestsPerSecond: 5000),
      Caller(tenant: "new", requestsPerSecond: 10, from: 30),
    ])
    let first = try #require(granted["new"]?.first)
    #expect(first < 30.5)
  }

  @Test("serves each of more tenants than its burst has requests")
  func manyTenants() {
    let callers = (0..<60).map { Caller(tenant: Text("t\($0)"), requestsPerSecond: 20) }
    let granted = simulate(callers, rate: 20, burst: 20, seconds: 120)
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
      let times = simulate(callers, queueFor: queueFor).values.joined().sorted()
      for start in times.indices {
        for end in stride(from: start, to: times.count, by: 7) {
          let most = 20 * (times[end] - times[start]) + 20 + 1.1
          #expect(Double(end - start + 1) <= most)
        }
      }
    }
  }

  @Test("takes back a turn that was not used")
  func giveBack() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 10, burst: 1, adaptive: false), now: at(0))
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted)
    budget.giveBack("a")
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted)
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .refused(retryAfter: seconds(0.1)))
  }

  @Test("says how long to wait, and waiting that long is enough")
  func retryAfter() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 4, burst: 2, adaptive: false), now: at(0))
    var now = 0.0
    for _ in 0..<50 {
      switch budget.ask("a", weight: 1, queueFor: 0, now: at(now)) {
      case .granted, .waiting: continue
      case .refused(let wait):
        now += Double(wait) / 1e9 + 0.0001
        #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(now)) == .granted)
      }
    }
  }

  @Test(
    "keeps its accounts apart however tenants come and go", arguments: [4, 5] as [UInt64])
  func comingAndGoing(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    var budget = UpstreamBudget(.init(requestsPerSecond: 50, burst: 50, adaptive: false), now: at(0))
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
      case .waiting: Issue.record("nothing may wait")
      }
    }
    #expect(Double(granted) <= 50 * now + 51)
    #expect(granted > 1000)
  }

  @Test("without a sensible weight takes the tenant as one with the whole rate")
  func weightless() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 10, burst: 4, adaptive: false), now: at(0))
    for weight in [0, -3, .nan] as [Double] {
      #expect(budget.ask("a", weight: weight, queueFor: 0, now: at(0)) == .granted)
    }
  }

  @Test("keeps the part of it that is used when its numbers change")
  func change() {
    var budget = UpstreamBudget(.init(requestsPerSecond: 0.01, burst: 4, adaptive: false), now: at(0))
    for _ in 0..<4 { #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted) }
    // No free burst: all of it was used, and so it is now.
    budget.change(to: .init(requestsPerSecond: 10, burst: 100, adaptive: false), now: at(0))
    #expect(budget.limit == GCRA(requestsPerSecond: 10, burst: 100))
    guard case .refused(let wait) = budget.ask("a", weight: 1, queueFor: 0, now: at(0)) else {
      Issue.record("a burst that nobody has saved")
      return
    }
    // And no debt: not the hundred seconds of the old rate.
    #expect(wait <= seconds(0.1))
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0.101)) == .granted)
    // Half used stays half used.
    var half = UpstreamBudget(.init(requestsPerSecond: 1, burst: 4, adaptive: false), now: at(0))
    for _ in 0..<2 { _ = half.ask("a", weight: 1, queueFor: 0, now: at(0)) }
    half.change(to: .init(requestsPerSecond: 1, burst: 10, adaptive: false), now: at(0))
    let granted = (0..<10).count { _ in half.ask("a", weight: 1, queueFor: 0, now: at(0)) == .granted }
    #expect(granted == 5)
  }
}
