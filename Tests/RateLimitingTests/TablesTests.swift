import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("A limiter cell")
struct LimiterCellTests {
  @Test("decides as the algorithm does on one stored time", arguments: [1, 2, 3] as [UInt64])
  func likeTheAlgorithm(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    let cell = LimiterCell()
    var stored: MonotonicInstant?
    var now = 0.0
    let limit = GCRA(requestsPerSecond: 8, burst: 4)
    for _ in 0..<3000 {
      now += Double(entropy.next() % 100) / 500
      #expect(cell.decide(limit, now: at(now)) == limit.decide(&stored, now: at(now)))
    }
  }

  @Test("has no debt under the numbers of before a reload")
  func noDebt() {
    let cell = LimiterCell()
    let (slow, fast) = (
      GCRA(requestsPerSecond: 0.01, burst: 3), GCRA(requestsPerSecond: 10, burst: 20)
    )
    for _ in 0..<3 { #expect(cell.decide(slow, now: at(0)).isAllowed) }
    cell.change(to: fast, now: at(1))
    let decision = cell.decide(fast, now: at(1))
    // All of the burst was used but the hundredth that came in: so it is now, and at the new rate it comes back.
    #expect(!decision.isAllowed && decision.wait <= seconds(0.1) && decision.policy == fast)
    #expect(cell.decide(fast, now: at(1.1)).isAllowed)
    #expect((0..<30).count { _ in cell.decide(fast, now: at(4)).isAllowed } == 20)
  }

  @Test("has no free burst after a reload", arguments: [true, false])
  func noFreeBurst(isToldAtOnce: Bool) {
    let cell = LimiterCell()
    let (fast, slow) = (
      GCRA(requestsPerSecond: 10, burst: 20), GCRA(requestsPerSecond: 0.01, burst: 4)
    )
    for _ in 0..<20 { #expect(cell.decide(fast, now: at(0)).isAllowed) }
    if isToldAtOnce { cell.change(to: slow, now: at(0)) }
    #expect(!cell.decide(slow, now: at(0)).isAllowed)
    // A loop that has the old numbers for a moment longer neither gains nor spoils anything.
    #expect(!cell.decide(fast, now: at(0)).isAllowed)
    #expect(!cell.decide(slow, now: at(0)).isAllowed)
    #expect(!cell.decide(slow, now: at(90)).isAllowed)
    #expect(cell.decide(slow, now: at(101)).isAllowed)
  }

  @Test("keeps the used part of the burst under any numbers", arguments: [5, 6, 7] as [UInt64])
  func proportion(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    for _ in 0..<500 {
      let (before, after) = (
        GCRA(requestsPerSecond: Double(1 + entropy.next() % 500) / 10, burst: Int(1 + entropy.next() % 100)),
        GCRA(requestsPerSecond: Double(1 + entropy.next() % 500) / 10, burst: Int(1 + entropy.next() % 100))
      )
      let cell = LimiterCell()
      let used = Int(entropy.next() % UInt64(before.burst + 1))
      for _ in 0..<used { _ = cell.decide(before, now: at(0)) }
      cell.change(to: after, now: at(0))
      let left = (0...after.burst).count { _ in cell.decide(after, now: at(0)).isAllowed }
      let expected = Double(after.burst) * Double(before.burst - used) / Double(before.burst)
      // Intervals are whole nanoseconds.
      #expect((expected - 1.001...expected + 0.001).contains(Double(left)))
    }
  }

  @Test("lets requests wait for their turn, one after another, and no longer than they may")
  func queueing() {
    let cell = LimiterCell()
    let limit = GCRA(requestsPerSecond: 10, burst: 2)
    let waits = (0..<6).map { _ in cell.decide(limit, now: at(0), queueFor: seconds(0.3)) }
    #expect(waits.map(\.isAllowed) == [true, true, true, true, true, false])
    #expect(waits.map(\.wait) == [0, 0, 0.1, 0.2, 0.3, 0.4].map { seconds($0) })
    // As many wait after a change as before.
    cell.change(to: GCRA(requestsPerSecond: 1, burst: 4), now: at(0))
    #expect(cell.decide(GCRA(requestsPerSecond: 1, burst: 4), now: at(0)).wait == seconds(4))
  }

  @Test("admits no more than the limit when many loops ask")
  func parallel() async {
    let cell = LimiterCell()
    let limit = GCRA(requestsPerSecond: 1, burst: 100)
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<50).count { _ in cell.decide(limit, now: at(0)).isAllowed } }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 100)
  }
}

@Suite("The table of sources")
struct SourceTableTests {
  @Test("keeps its keys apart, and each one's cell")
  func keysApart() {
    let table = SourceTable()
    let keys: [SourceKey] = [.other("a"), .other("b"), .v4(1), .v6(network: 1), .v6(network: 2)]
    let cells = keys.map { table.cell(of: $0, now: at(0)) }
    #expect(Set(cells.map { ObjectIdentifier($0) }).count == keys.count)
    for (key, cell) in zip(keys, cells) { #expect(table.cell(of: key, now: at(1)) === cell) }
  }

  @Test("takes the addresses of one IPv6 network as one, and mapped IPv4 as IPv4")
  func addresses() {
    #expect(SourceKey.v6(high: 0x2001_0db8, low: 1) == SourceKey.v6(high: 0x2001_0db8, low: 2))
    #expect(SourceKey.v6(high: 0x2001_0db8, low: 1) != SourceKey.v6(high: 0x2001_0db9, low: 1))
    #expect(SourceKey.v6(high: 0, low: 0xFFFF_7F00_0001) == .v4(0x7F00_0001))
  }

  @Test("forgets idle cells first when it is full, and stays bounded when none is idle")
  func bounded() {
    var shard = SourceShard(capacity: 100)
    let limit = GCRA(requestsPerSecond: 1, burst: 10)
    func ask(_ key: SourceKey, at time: Double) -> Bool {
      shard.cell(of: key, now: at(time)).decide(limit, now: at(time)).isAllowed
    }
    let busy = SourceKey.other("busy")
    for _ in 0..<10 { _ = ask(busy, at: 0) }
    for number in UInt32(0)..<99 { _ = ask(.v4(number), at: 0) }
    #expect(shard.count == 100)
    // Two seconds on, the addresses are idle and the busy one is still over its rate.
    _ = ask(.v4(1000), at: 2)
    #expect(shard.count == 2)
    for _ in 0..<2 { #expect(ask(busy, at: 2)) }
    #expect(!ask(busy, at: 2))

    for number in UInt32(0)..<10_000 {
      _ = ask(.v4(2000 + number), at: 2)
      #expect(shard.count <= 100)
    }
  }

  @Test("takes a reload's numbers for each source, at once")
  func change() {
    let table = SourceTable()
    let (slow, fast) = (
      GCRA(requestsPerSecond: 0.01, burst: 2), GCRA(requestsPerSecond: 10, burst: 2)
    )
    let cells = (0..<200).map { table.cell(of: .v4($0), now: at(0)) }
    for cell in cells { for _ in 0..<2 { _ = cell.decide(slow, now: at(0)) } }
    table.change(to: fast, now: at(0))
    for cell in cells { #expect(cell.decide(fast, now: at(0.11)).isAllowed) }
  }

  @Test("does not forget an idle cell that a connection holds")
  func held() {
    var shard = SourceShard(capacity: 10)
    let held = shard.cell(of: .v4(1), now: at(0))
    for number in UInt32(2)..<200 { _ = shard.cell(of: .v4(number), now: at(Double(number))) }
    #expect(shard.cell(of: .v4(1), now: at(300)) === held)
  }
}

@Suite("A tenant's meter")
struct TenantMeterTests {
  @Test("is the same for one id, with a number of its own")
  func identity() {
    let meters = TenantMeters()
    let made = ["a", "b", "c"].map { meters.meter(of: $0) }
    #expect(made.map(\.number) == [1, 2, 3])
    #expect(meters.meter(of: "b") === made[1])
  }

  @Test("gives permits up to the limit, which come back at the end of their scope")
  func scope() {
    let meters = TenantMeters()
    let meter = meters.meter(of: "a")
    do {
      let first = meter.enter(limit: 2)
      let second = meter.enter(limit: 2)
      let third = meter.enter(limit: 2)
      let other = meters.meter(of: "b").enter(limit: 2)
      let given = [first != nil, second != nil, third != nil, other != nil]
      #expect(given == [true, true, false, true])
      #expect(meter.inFlight == 2)
    }
    #expect(meter.inFlight == 0)
    #expect(meters.meter(of: "b").inFlight == 0)
  }

  @Test("takes a permit back early, once")
  func early() {
    let meter = TenantMeters().meter(of: "a")
    guard let permit = meter.enter(limit: 1) else {
      Issue.record("the first permit was refused")
      return
    }
    permit.release()
    #expect(meter.inFlight == 0)
    let again = meter.enter(limit: 1)
    let isGiven = again != nil
    #expect(isGiven)
    #expect(meter.inFlight == 1)
  }

  @Test("never exceeds the limit when many loops ask")
  func parallel() async {
    let meter = TenantMeters().meter(of: "a")
    let most = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var most = 0
          for _ in 0..<500 {
            if let permit = meter.enter(limit: 3) {
              most = max(most, meter.inFlight)
              permit.release()
            }
          }
          return most
        }
      }
      return await group.reduce(0, max)
    }
    #expect((1...3).contains(most))
    #expect(meter.inFlight == 0)
  }
}

@Suite("A sharded table")
struct ShardedTests {
  @Test(
    "rounds the number of parts up to a power of two",
    arguments: [(0, 1), (1, 1), (2, 2), (3, 4), (16, 16), (1000, 256)])
  func sizes(asked: Int, expected: Int) {
    #expect(Sharded(count: asked) { 0 }.count == expected)
  }

  @Test("finds a key where it was put")
  func keys() {
    let table = Sharded<[Int: Int]>(count: 16) { [:] }
    for key in 0..<1000 { table.withShard(of: key) { $0[key] = key } }
    for key in 0..<1000 {
      let found = table.withShard(of: key) { $0[key] }
      #expect(found == key)
    }
  }
}
