import Primitives
import TestSupport
import Testing

@testable import RateLimiting

private let (create, describe, list): (UInt8, UInt8, UInt8) = (3, 12, 20)
private let reads: UInt8 = 63

private func rate(_ requestsPerSecond: Double, _ burst: Int) -> GCRA {
  GCRA(requestsPerSecond: requestsPerSecond, burst: burst)
}

private func of(_ number: UInt8, _ operations: [UInt8], _ limit: GCRA) -> TenantRates.OfOperations {
  .init(number: number, operations: operations.reduce(0) { $0 | 1 << UInt64($1) }, limit: limit)
}

private func about(_ name: String) -> AppInstanceKey? {
  let bytes = Array(name.utf8)
  return AppInstanceKey(bytes.span)
}

@Suite("A tenant's rates")
struct TenantRatesTests {
  private let meter = TenantMeters().meter(of: "a")

  private func ask(
    _ rates: TenantRates, _ operation: UInt8 = create, _ appInstance: String = "", at time: Double = 0,
    queueFor: Double = 0
  ) -> RateDecision {
    meter.admit(
      rates, RatedRequest(operation: operation, appInstance: about(appInstance)), now: at(time),
      queueFor: seconds(queueFor))
  }

  @Test("keep what is used of them over a change of the limit")
  func reload() {
    let rates = TenantRates(whole: rate(1, 2))
    for _ in 0..<2 { #expect(ask(rates).decision.isAllowed) }
    #expect(!ask(rates).decision.isAllowed)
    #expect(!ask(TenantRates(whole: rate(1, 2)), at: 0.5).decision.isAllowed)
    // A larger burst is no gift.
    #expect(!ask(TenantRates(whole: rate(1, 3)), at: 0.5).decision.isAllowed)
  }

  @Test("are those that apply to the operation, of which the tightest refuses")
  func operations() {
    let rates = TenantRates(
      whole: rate(1, 5),
      operations: [of(create, [create], rate(1, 2)), of(reads, [describe, list], rate(1, 1))])
    for _ in 0..<2 { #expect(ask(rates, create).decision.isAllowed) }
    let refused = ask(rates, create)
    #expect(!refused.decision.isAllowed && refused.rate == .operations(create))
    #expect(refused.decision.wait == seconds(1) && refused.decision.policy == rate(1, 2))
    // Reads share one.
    #expect(ask(rates, describe).decision.isAllowed)
    #expect(ask(rates, list).rate == .operations(reads))
    #expect(!ask(rates, list).decision.isAllowed)
    // And others have but the whole: two of its five are left, since what was refused cost nothing.
    for _ in 0..<2 { #expect(ask(rates, 7).decision.isAllowed) }
    #expect(ask(rates, 7).rate == .whole)
    #expect(!ask(rates, 7).decision.isAllowed)
  }

  @Test("name the one with the longest wait, when several refuse")
  func tightest() {
    let rates = TenantRates(
      whole: rate(1, 1), operations: [of(create, [create], rate(0.1, 1)), of(reads, [describe], rate(10, 1))])
    _ = ask(rates, create)
    #expect(ask(rates, create).rate == .operations(create))
    #expect(ask(rates, create).decision.wait == seconds(10))
    #expect(ask(rates, describe).rate == .whole)
  }

  @Test("of an AppInstance are its own")
  func appInstances() {
    let rates = TenantRates(whole: rate(1, 10), perAppInstance: rate(0.5, 2))
    for _ in 0..<2 { #expect(ask(rates, create, "one").decision.isAllowed) }
    let refused = ask(rates, create, "one")
    #expect(!refused.decision.isAllowed && refused.rate == .appInstance)
    #expect(refused.decision.wait == seconds(2))
    #expect(ask(rates, create, "two").decision.isAllowed)
    // What names none is not counted by it.
    for _ in 0..<5 { #expect(ask(rates, create).decision.isAllowed) }
  }

  @Test("are all counted, or none", arguments: [1, 2, 3] as [UInt64])
  func allOrNone(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    let rates = TenantRates(
      whole: rate(20, 5),
      operations: [of(create, [create], rate(8, 3)), of(describe, [describe], rate(15, 9))],
      perAppInstance: rate(6, 2))
    // Each bucket by itself, asked only when all of them have room.
    var alone: [String: BucketState] = [:]
    var now = 0.0
    for _ in 0..<5000 {
      now += Double(entropy.next() % 100) / 1000
      let operation = [create, describe, list][Int(entropy.next() % 3)]
      let name = ["", "one", "two"][Int(entropy.next() % 3)]
      var applied = [("whole", rates.whole)]
      applied += rates.operations.filter { $0.number == operation }.map { ("\($0.number)", $0.limit) }
      if !name.isEmpty { applied.append((name, rate(6, 2))) }
      let waits = applied.map { alone[$0.0, default: BucketState()].look($0.1, now: at(now)).wait }
      let decision = ask(rates, operation, name, at: now).decision
      #expect(decision.isAllowed == waits.allSatisfy { $0 == 0 })
      guard decision.isAllowed else {
        #expect(decision.wait == waits.max())
        continue
      }
      for (key, limit) in applied { _ = alone[key, default: BucketState()].decide(limit, now: at(now)) }
    }
  }

  @Test("that only warn are counted each for itself, and all that are exceeded are told")
  func warning() {
    let rates = TenantRates(
      whole: rate(1, 3), operations: [of(create, [create], rate(1, 1))], perAppInstance: rate(1, 2))
    let request = RatedRequest(operation: create, appInstance: about("one"))
    let exceeded = (0..<4).map { _ in meter.count(rates, request, now: at(0)) }
    #expect(
      exceeded == [
        [], [.operations(create)], [.operations(create), .appInstance],
        [.whole, .operations(create), .appInstance],
      ])
  }

  @Test("let a request wait for the latest of its turns, and those behind it for later ones")
  func queue() {
    let rates = TenantRates(whole: rate(10, 1), operations: [of(create, [create], rate(1, 1))])
    #expect(ask(rates, create, queueFor: 3).decision.wait == 0)
    #expect(ask(rates, create, queueFor: 3).decision.wait == seconds(1))
    #expect(ask(rates, create, queueFor: 3).decision.wait == seconds(2))
    #expect(ask(rates, describe, queueFor: 3).decision.wait == seconds(0.3))
    let refused = ask(rates, create, queueFor: 2.9)
    #expect(!refused.decision.isAllowed && refused.rate == .operations(create))
  }

  @Test("keep their state over reloads, also of what was taken away and comes back")
  func change() {
    let one = TenantRates(
      whole: rate(1, 100), operations: [of(create, [create], rate(0.01, 2))], perAppInstance: rate(0.01, 2))
    for _ in 0..<2 { #expect(ask(one, create, "one").decision.isAllowed) }
    meter.change(to: TenantRates(whole: rate(1, 100)), now: at(0))
    meter.change(
      to: TenantRates(
        whole: rate(1, 100), operations: [of(create, [create], rate(0.01, 50))],
        perAppInstance: rate(0.01, 50)),
      now: at(0))
    let two = TenantRates(whole: rate(1, 100), operations: [of(create, [create], rate(0.01, 50))])
    #expect(!ask(two, create).decision.isAllowed)
    let three = TenantRates(whole: rate(1, 100), perAppInstance: rate(10, 50))
    #expect(!ask(three, create, "one").decision.isAllowed)
    // And no debt: a tenth of a second, not a hundred.
    #expect(ask(three, create, "one").decision.wait <= seconds(0.1))
  }

  @Test("tell what is left of each that applies, without counting")
  func levels() {
    let rates = TenantRates(
      whole: rate(1, 10), operations: [of(create, [create], rate(1, 2)), of(reads, [describe], rate(1, 1))],
      perAppInstance: rate(1, 3))
    _ = ask(rates, create, "one")
    for _ in 0..<2 {
      let levels = meter.levels(
        rates, of: RatedRequest(operation: create, appInstance: about("one")), now: at(0))
      #expect(levels.map(\.rate) == [.whole, .operations(create), .appInstance])
      #expect(levels.map(\.decision.remaining) == [9, 1, 2])
      #expect(levels.map(\.decision.policy) == [rate(1, 10), rate(1, 2), rate(1, 3)])
      #expect(levels.allSatisfy { $0.decision.isAllowed && $0.decision.reset == seconds(1) })
    }
  }

  @Test("of any number of AppInstances take so much memory and no more")
  func bound() {
    var table = BucketTable(capacity: 10)
    let limit = rate(1, 5)
    for key in 0..<200 as Range<UInt64> {
      #expect(table.with(key, now: at(0)) { $0.decide(limit, now: at(0)) }.isAllowed)
      #expect(table.count <= 10)
    }
    // Those that are idle go first, and what is in use stays.
    for _ in 0..<5 { _ = table.with(199, now: at(100)) { $0.decide(limit, now: at(100)) } }
    for key in 300..<309 as Range<UInt64> {
      _ = table.with(key, now: at(100)) { $0.decide(limit, now: at(100)) }
    }
    #expect(!table.with(199, now: at(100)) { $0.decide(limit, now: at(100)) }.isAllowed)
  }

  @Test("are asked by many loops at once without losing count")
  func parallel() async {
    let rates = TenantRates(
      whole: rate(0.001, 300), operations: [of(create, [create], rate(0.001, 200))],
      perAppInstance: rate(0.001, 100))
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask { [meter] in
          (0..<100).count { _ in
            let request = RatedRequest(operation: create, appInstance: about("one"))
            return meter.admit(rates, request, now: at(0)).decision.isAllowed
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 100)
    #expect(ask(rates, create).decision.remaining == 199)
  }
}
