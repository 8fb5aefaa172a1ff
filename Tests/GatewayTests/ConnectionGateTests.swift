import Configuration
import Primitives
import Synchronization
import Testing
import Transport

@testable import Gateway

private let second: Int64 = 1_000_000_000

private func instant(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * second) }

private func peer(_ bits: UInt32) -> SocketAddress { SocketAddress(host: .v4(bits), port: 1) }

@Suite struct ConnectionGateTests {
  @Test func connectionsInAllAndOfASourceAreBounded() {
    let gate = ConnectionGate(.init(connections: 3, perSource: 2, admin: 1))
    let now = instant(1)
    #expect(gate.enter(peer(1), trusted: [], now: now))
    #expect(gate.enter(peer(1), trusted: [], now: now))
    #expect(!gate.enter(peer(1), trusted: [], now: now))
    #expect(gate.enter(peer(2), trusted: [], now: now))
    #expect(!gate.enter(peer(3), trusted: [], now: now))
    #expect(gate.open == 3)
    gate.leave(peer(1))
    #expect(gate.enter(peer(1), trusted: [], now: now))
    #expect(gate.enterAdmin(now: now))
    #expect(!gate.enterAdmin(now: now))
    gate.leaveAdmin()
    #expect(gate.enterAdmin(now: now))
    #expect(gate.refused == [.connections: 1, .connectionsPerSource: 1, .admin: 1])
  }

  @Test func trustedProxyIsBoundedByTheWholeOnly() throws {
    let gate = ConnectionGate(.init(connections: 5, perSource: 1, admin: 1))
    let proxies = [try #require(AddressBlock(parsing: "0.0.0.7/32"))]
    for _ in 1...5 { #expect(gate.enter(peer(7), trusted: proxies, now: instant(1))) }
    #expect(!gate.enter(peer(7), trusted: proxies, now: instant(1)))
    for _ in 1...5 { gate.leave(peer(7)) }
    #expect(gate.open == 0)
  }

  @Test func refusalsAreToldOnceWhenTheyBeginAndOnceWhenTheyHaveEnded() {
    let told = Mutex<[String]>([])
    let gate = ConnectionGate(.init(connections: 0, perSource: 1, admin: 1)) { event in
      told.withLock { told in
        switch event {
        case .refusing(let limit, let source): told.append("refusing \(limit) \(source ?? "-")")
        case .accepting(let limit, let refused, let after):
          told.append("accepting \(limit) \(refused) \(after / second)")
        }
      }
    }
    for time in 1...5 as ClosedRange<Int64> {
      #expect(!gate.enter(peer(1), trusted: [], now: instant(time)))
      gate.check(now: instant(time))
    }
    gate.check(now: instant(15))
    gate.check(now: instant(16))
    #expect(!gate.enter(peer(1), trusted: [], now: instant(20)))
    #expect(
      told.withLock { $0 } == [
        "refusing connections -", "accepting connections 5 4", "refusing connections -",
      ])
    #expect(gate.refused == [.connections: 6])
  }
}

@Suite struct DescriptorBudgetTests {
  private let wishes = DescriptorBudget.Wishes(connections: 10_000, upstream: 128, admin: 64)

  private func budget(_ limit: Int, loops: Int = 2) throws -> DescriptorBudget {
    try DescriptorBudget(limit: limit, inUse: 10, loops: loops, listeners: loops + 1, wishes: wishes)
  }

  @Test func whatIsThereForAllIsGranted() throws {
    #expect(try budget(65_536).granted == wishes)
    #expect(try budget(.max).granted == wishes)
  }

  @Test(arguments: [64, 100, 128, 256, 1024, 4096, 10_200]) func lessIsSharedOutAndSomeIsKept(limit: Int)
    throws
  {
    let granted = try budget(limit).granted
    #expect(granted.connections > 0 && granted.upstream >= 2 && granted.admin >= 2)
    #expect(granted.total + 10 + 2 * 2 + 3 * 2 + 16 <= limit)
    #expect(granted.connections >= granted.upstream + granted.admin)
  }

  @Test func tooFewAreAnErrorThatSaysHowMany() throws {
    let error = #expect(throws: DescriptorBudget.TooFew.self) { try budget(32) }
    let needed = try #require(error).needed
    #expect(try budget(needed).granted.connections >= 1)
    #expect(throws: DescriptorBudget.TooFew.self) { try budget(needed - 1) }
  }
}
