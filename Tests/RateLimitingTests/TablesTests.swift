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
    for _ in 0..<3000 {
      now += Double(entropy.next() % 100) / 500
      // A reload may bring another limit at any time.
      let limit = GCRA(requestsPerSecond: 8, burst: Int(1 + entropy.next() % 4))
      #expect(cell.decide(limit, now: at(now)) == limit.decide(&stored, now: at(now)))
    }
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

  @Test("keeps its rate over a change of the limit")
  func reload() {
    let meter = TenantMeters().meter(of: "a")
    let limit = GCRA(requestsPerSecond: 1, burst: 2)
    for _ in 0..<2 { #expect(meter.admit(limit, now: at(0)).isAllowed) }
    #expect(!meter.admit(limit, now: at(0)).isAllowed)
    #expect(!meter.admit(GCRA(requestsPerSecond: 1, burst: 2), now: at(0.5)).isAllowed)
    #expect(meter.admit(GCRA(requestsPerSecond: 1, burst: 3), now: at(0.5)).isAllowed)
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
