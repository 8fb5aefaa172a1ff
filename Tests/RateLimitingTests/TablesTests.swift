import Primitives
import Testing

@testable import RateLimiting

@Suite("The table of limits")
struct LimiterTableTests {
  @Test("keeps its keys apart")
  func keysApart() {
    let table = LimiterTable()
    let limit = GCRA(requestsPerSecond: 1, burst: 1)
    let keys: [LimitKey] = [
      .tenant("a"), .tenant("b"), .sourceV4(1), .sourceV6(network: 1), .sourceV6(network: 2),
    ]
    for key in keys { #expect(table.decide(key, limit: limit, now: at(0)).isAllowed) }
    for key in keys { #expect(!table.decide(key, limit: limit, now: at(0)).isAllowed) }
  }

  @Test("takes the addresses of one IPv6 network as one, and mapped IPv4 as IPv4")
  func addresses() {
    #expect(LimitKey.source(v6: 0x2001_0db8, 1) == LimitKey.source(v6: 0x2001_0db8, 2))
    #expect(LimitKey.source(v6: 0x2001_0db8, 1) != LimitKey.source(v6: 0x2001_0db9, 1))
    #expect(LimitKey.source(v6: 0, 0xFFFF_7F00_0001) == .sourceV4(0x7F00_0001))
  }

  @Test("admits no more than the limit when many loops ask")
  func parallel() async {
    let table = LimiterTable()
    let limit = GCRA(requestsPerSecond: 1, burst: 100)
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<50).count { _ in table.decide(.tenant("a"), limit: limit, now: at(0)).isAllowed }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 100)
  }

  @Test("forgets idle keys first when it is full, and stays bounded when none is idle")
  func bounded() {
    var shard = LimiterShard(capacity: 100)
    let limit = GCRA(requestsPerSecond: 1, burst: 10)
    let busy = LimitKey.tenant("busy")
    for _ in 0..<10 { _ = shard.decide(busy, limit: limit, now: at(0)) }
    for number in UInt32(0)..<99 { _ = shard.decide(.sourceV4(number), limit: limit, now: at(0)) }
    #expect(shard.count == 100)
    // Two seconds on, the addresses are idle and the busy tenant is still over its rate.
    _ = shard.decide(.sourceV4(1000), limit: limit, now: at(2))
    #expect(shard.count == 2)
    for _ in 0..<2 { #expect(shard.decide(busy, limit: limit, now: at(2)).isAllowed) }
    #expect(!shard.decide(busy, limit: limit, now: at(2)).isAllowed)

    for number in UInt32(0)..<10_000 {
      _ = shard.decide(.sourceV4(2000 + number), limit: limit, now: at(2))
      #expect(shard.count <= 100)
    }
  }
}

@Suite("Permits")
struct ConcurrencyTableTests {
  @Test("are given up to the limit and come back at the end of their scope")
  func scope() {
    let table = ConcurrencyTable()
    do {
      let first = table.acquire("a", limit: 2)
      let second = table.acquire("a", limit: 2)
      let third = table.acquire("a", limit: 2)
      let other = table.acquire("b", limit: 2)
      let given = [first != nil, second != nil, third != nil, other != nil]
      #expect(given == [true, true, false, true])
      #expect(table.inFlight("a") == 2)
    }
    #expect(table.inFlight("a") == 0)
    #expect(table.inFlight("b") == 0)
  }

  @Test("can be given back early, once")
  func early() throws {
    let table = ConcurrencyTable()
    guard let permit = table.acquire("a", limit: 1) else {
      Issue.record("the first permit was refused")
      return
    }
    permit.release()
    #expect(table.inFlight("a") == 0)
    let again = table.acquire("a", limit: 1)
    let isGiven = again != nil
    #expect(isGiven)
    #expect(table.inFlight("a") == 1)
  }

  @Test("never exceed the limit when many loops ask")
  func parallel() async {
    let table = ConcurrencyTable()
    let most = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var most = 0
          for _ in 0..<500 {
            if let permit = table.acquire("a", limit: 3) {
              most = max(most, table.inFlight("a"))
              permit.release()
            }
          }
          return most
        }
      }
      return await group.reduce(0, max)
    }
    #expect((1...3).contains(most))
    #expect(table.inFlight("a") == 0)
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
