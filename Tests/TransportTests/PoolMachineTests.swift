import TestSupport
import Testing

@testable import Transport

/// The pool's decisions, without sockets. Waiters are numbers.
@Suite struct PoolMachineTests {
  private typealias Machine = PoolMachine<Int>

  @Test func placesAreOpenedUpToTheLimitAndThenWaitedFor() {
    var machine = Machine(limit: 2)
    #expect(machine.lease() == .open(0))
    #expect(machine.lease() == .open(1))
    #expect(machine.lease() == .wait)
    #expect(machine.takenCount == 2)
  }

  @Test func theLatestIdleConnectionIsUsedFirst() {
    var machine = Machine(limit: 3)
    for place in 0..<3 { #expect(machine.lease() == .open(place)) }
    for place in [1, 0, 2] { #expect(machine.release(place, isReusable: true, now: 0).isKept) }
    #expect(machine.lease() == .use(2))
    #expect(machine.lease() == .use(0))
    #expect(machine.lease() == .use(1))
  }

  @Test func theLongestWaiterGetsThePlaceOfWhoeverLeaves() {
    var machine = Machine(limit: 1)
    #expect(machine.lease() == .open(0))
    for waiter in [7, 8] {
      #expect(machine.lease() == .wait)
      machine.wait(waiter, until: 100)
    }
    #expect(machine.release(0, isReusable: true, now: 1).handedOver == Handed(7, .use(0)))
    #expect(machine.release(0, isReusable: false, now: 2).handedOver == Handed(8, .open(0)))
    #expect(machine.takenCount == 1)
    #expect(machine.release(0, isReusable: true, now: 3).isKept)
    #expect(machine.idleCount == 1)
  }

  @Test func aWaiterLeavesAtItsDeadline() {
    var machine = Machine(limit: 1)
    #expect(machine.lease() == .open(0))
    machine.wait(1, until: 10)
    machine.wait(2, until: 5)
    machine.wait(3, until: 20)
    #expect(machine.expireWaiters(now: 4) == [])
    #expect(machine.expireWaiters(now: 10) == [1, 2])
    #expect(machine.release(0, isReusable: true, now: 11).handedOver == Handed(3, .use(0)))
  }

  @Test func aDeadConnectionIsReplacedByAnotherOneOrByItsPlace() {
    var machine = Machine(limit: 2)
    #expect(machine.lease() == .open(0))
    #expect(machine.lease() == .open(1))
    #expect(machine.release(0, isReusable: true, now: 0).isKept)
    #expect(machine.release(1, isReusable: true, now: 0).isKept)
    #expect(machine.lease() == .use(1))
    #expect(machine.replace(1) == .use(0))
    #expect(machine.replace(0) == .open(0))
    #expect(machine.takenCount == 1 && machine.idleCount == 0)
    #expect(machine.lease() == .open(1))
  }

  @Test func whatHasIdledTooLongOrIsDeadIsRemoved() {
    var machine = Machine(limit: 3)
    for _ in 0..<3 { _ = machine.lease() }
    for place in 0..<3 { _ = machine.release(place, isReusable: true, now: Int64(place)) }
    #expect(machine.removeIdle(since: 1, or: { $0 == 2 }) == [0, 2])
    #expect(machine.lease() == .use(1))
    #expect(machine.idleCount == 0)
  }

  @Test func aClosedPoolLendsNoMore() {
    var machine = Machine(limit: 3)
    for _ in 0..<3 { _ = machine.lease() }
    _ = machine.release(2, isReusable: true, now: 0)
    _ = machine.lease()
    machine.wait(1, until: 100)
    _ = machine.release(1, isReusable: true, now: 0)
    _ = machine.release(0, isReusable: true, now: 0)
    let closed = machine.close()
    #expect(closed.idle == [0] && closed.waiters.isEmpty)
    #expect(machine.lease() == .refused)
    #expect(machine.release(1, isReusable: true, now: 1).isClosed)
    #expect(machine.replace(2) == .refused)
    #expect(machine.takenCount == 0 && machine.idleCount == 0)
  }

  @Test func whoWaitsWhenThePoolClosesIsToldSo() {
    var machine = Machine(limit: 1)
    _ = machine.lease()
    machine.wait(1, until: 100)
    machine.wait(2, until: 100)
    #expect(machine.close().waiters == [1, 2])
    #expect(machine.release(0, isReusable: true, now: 1).isClosed)
    #expect(machine.expireWaiters(now: 1000) == [])
  }

  /// Random events against a plain account of who has what.
  @Test(arguments: 1...8) func noPlaceIsLentTwiceAndNobodyIsForgotten(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var account = PoolAccount(limit: Int.random(in: 1...5, using: &random))
    for step in 0..<1000 {
      account.now += Int64.random(in: 0...3, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<45: account.ask(patience: Int64.random(in: 1...60, using: &random))
      case 45..<80: account.leave(isReusable: Bool.random(using: &random), &random)
      case 80..<88: account.findDead(&random)
      case 88..<94: account.expire()
      case 94..<99: account.sweep(&random)
      default: if step > 800 { account.close() }
      }
      account.check()
    }
    account.finish(&random)
  }
}

private struct Handed: Equatable {
  let waiter: Int
  let lease: PoolLease

  init(_ waiter: Int, _ lease: PoolLease) {
    self.waiter = waiter
    self.lease = lease
  }
}

extension PoolMachine<Int>.Release {
  fileprivate var isKept: Bool { if case .keep = self { true } else { false } }
  fileprivate var isClosed: Bool { if case .close = self { true } else { false } }
  fileprivate var handedOver: Handed? {
    if case .handOver(let waiter, let lease) = self { Handed(waiter, lease) } else { nil }
  }
}

/// Who has what, by the book: a set of places lent, one of those with a connection, and a list of who waits.
private struct PoolAccount {
  private var machine: PoolMachine<Int>
  private let limit: Int
  var now: Int64 = 0
  private var lent: Set<Int> = []
  private var connected: Set<Int> = []
  private var waiting: [(waiter: Int, deadline: Int64)] = []
  private var nextWaiter = 0
  private var isClosed = false

  init(limit: Int) {
    self.limit = limit
    machine = PoolMachine(limit: limit)
  }

  private var idle: Set<Int> { connected.subtracting(lent) }

  mutating func ask(patience: Int64) {
    let lease = machine.lease()
    if isClosed { #expect(lease == .refused) }
    if lease == .wait {
      #expect(lent.count == limit, "told to wait while a place was free")
      machine.wait(nextWaiter, until: now + patience)
      waiting.append((nextWaiter, now + patience))
      nextWaiter += 1
    } else {
      take(lease)
    }
  }

  private mutating func take(_ lease: PoolLease) {
    switch lease {
    case .use(let place):
      #expect(connected.contains(place), "lent a connection that does not exist")
      #expect(lent.insert(place).inserted, "lent twice")
    case .open(let place):
      #expect(!connected.contains(place), "a second connection for one place")
      #expect(lent.insert(place).inserted, "lent twice")
      connected.insert(place)
    case .wait: Issue.record("nobody may be told to wait twice")
    case .refused: #expect(isClosed)
    }
  }

  mutating func leave(isReusable: Bool, _ random: inout SeededGenerator) {
    guard let place = lent.sorted().randomElement(using: &random) else { return }
    lent.remove(place)
    switch machine.release(place, isReusable: isReusable, now: now) {
    case .keep:
      #expect(isReusable && !isClosed && waiting.isEmpty)
    case .close:
      #expect(waiting.isEmpty, "closed while somebody waited for the place")
      connected.remove(place)
    case .handOver(let waiter, let lease):
      #expect(waiter == waiting.first?.waiter, "out of turn")
      if !waiting.isEmpty { waiting.removeFirst() }
      if case .open = lease { connected.remove(place) }
      #expect(lease == (isReusable ? .use(place) : .open(place)))
      take(lease)
    }
  }

  /// A connection was just lent and turns out to be dead.
  mutating func findDead(_ random: inout SeededGenerator) {
    guard let place = lent.sorted().randomElement(using: &random) else { return }
    lent.remove(place)
    connected.remove(place)
    take(machine.replace(place))
  }

  mutating func expire() {
    let now = now
    let late = waiting.filter { $0.deadline <= now }.map(\.waiter)
    waiting.removeAll { $0.deadline <= now }
    #expect(machine.expireWaiters(now: now) == late)
  }

  mutating func sweep(_ random: inout SeededGenerator) {
    let dead = idle.sorted().randomElement(using: &random)
    let removed = machine.removeIdle(since: .min) { $0 == dead }
    #expect(removed == [dead].compactMap { $0 })
    connected.subtract(removed)
  }

  mutating func close() {
    let closed = machine.close()
    #expect(Set(closed.idle) == idle && closed.waiters == waiting.map(\.waiter))
    connected.subtract(closed.idle)
    waiting = []
    isClosed = true
  }

  func check() {
    #expect(machine.takenCount == lent.count)
    #expect(machine.idleCount == idle.count)
    #expect(machine.waiterCount == waiting.count)
    #expect(lent.union(connected).count <= limit, "more places than there are")
    #expect(waiting.isEmpty || lent.count == limit, "somebody waits while a place is free")
  }

  /// Everybody leaves: nobody is left waiting.
  mutating func finish(_ random: inout SeededGenerator) {
    while !lent.isEmpty { leave(isReusable: Bool.random(using: &random), &random) }
    check()
    #expect(waiting.isEmpty && machine.takenCount == 0)
  }
}
