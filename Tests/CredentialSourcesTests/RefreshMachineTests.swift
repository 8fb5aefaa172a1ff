import Primitives
import Testing

@testable import CredentialSources

/// Time is given by hand; nothing here waits.
@Suite struct RefreshMachineTests {
  private static let second: Int64 = 1_000_000_000
  private let start = WallClockTime(seconds: 1_800_000_000)

  /// Always the same bits: `.max` gives the latest jitter, 0 the earliest.
  private struct Bits: Entropy {
    var value: UInt64 = 0
    func next() -> UInt64 { value }
  }

  /// Both clocks, which go on together unless a test moves one.
  private struct Clocks {
    var now = MonotonicInstant(nanoseconds: 0)
    var wall: WallClockTime
    mutating func advance(_ nanoseconds: Int64) {
      now = now.advanced(byNanoseconds: nanoseconds)
      wall = wall.advanced(byNanoseconds: nanoseconds)
    }
  }

  private func next(_ machine: inout RefreshMachine, _ clocks: Clocks, isWanted: Bool = true)
    -> RefreshMachine.Action
  {
    machine.next(now: clocks.now, wall: clocks.wall, isWanted: isWanted)
  }

  /// Lets time pass as the machine says, until it wants an attempt.
  private func untilAttempt(_ machine: inout RefreshMachine, _ clocks: inout Clocks, isWanted: Bool = true)
    -> Int64?
  {
    let from = clocks.now
    for _ in 0..<10_000 {
      switch next(&machine, clocks, isWanted: isWanted) {
      case .attempt: return clocks.now.nanoseconds(since: from)
      case .wait(let nanoseconds): clocks.advance(max(1, nanoseconds))
      case .rest: return nil
      }
    }
    return nil
  }

  private func held(lasting seconds: Int64, _ clocks: inout Clocks, bits: UInt64 = 0) -> RefreshMachine {
    var machine = RefreshMachine()
    #expect(next(&machine, clocks) == .attempt)
    let end = clocks.wall.advanced(byNanoseconds: seconds * Self.second)
    #expect(machine.succeeded(end: end, wall: clocks.wall, entropy: Bits(value: bits)) == nil)
    return machine
  }

  @Test func itAsksAtOnceAndOneAttemptAtATime() {
    var machine = RefreshMachine()
    let clocks = Clocks(wall: start)
    #expect(next(&machine, clocks) == .attempt)
    #expect(next(&machine, clocks) == .rest)
    #expect(machine.demand(now: clocks.now) == .joins)
    #expect(next(&machine, clocks) == .rest)
  }

  @Test(arguments: [
    // An hour: the SDKs' 15 minutes. Less: a quarter.
    (3600, 900), (1800, 450), (900, 225), (60, 15), (8, 2), (43_200, 900),
  ])
  func theMarginIsAQuarterOfTheLifetimeOrFifteenMinutes(_ lifetime: Int64, _ margin: Int64) {
    for bits: UInt64 in [0, .max] {
      var clocks = Clocks(wall: start)
      var machine = held(lasting: lifetime, &clocks, bits: bits)
      let end = start.advanced(byNanoseconds: lifetime * Self.second)
      let passed = untilAttempt(&machine, &clocks)
      #expect(passed != nil)
      let left = end.nanoseconds(since: clocks.wall)
      #expect(left >= margin * Self.second && left <= margin * Self.second * 11 / 10, "\(left)")
    }
  }

  @Test func whatDoesNotEndIsNotAskedForAgain() {
    var machine = RefreshMachine()
    let clocks = Clocks(wall: start)
    _ = next(&machine, clocks)
    _ = machine.succeeded(end: nil, wall: start, entropy: Bits())
    #expect(next(&machine, clocks) == .rest)
    #expect(machine.demand(now: clocks.now) == .begins)
    #expect(next(&machine, clocks) == .attempt)
  }

  @Test(arguments: [UInt64.min, .max]) func pausesDoubleFromAtMostOneSecondToAtMostTen(_ bits: UInt64) {
    var machine = RefreshMachine()
    var clocks = Clocks(wall: start)
    #expect(next(&machine, clocks) == .attempt)
    for bound: Int64 in [1, 2, 4, 8, 10, 10, 10] {
      _ = machine.failed(now: clocks.now, entropy: Bits(value: bits))
      let pause = untilAttempt(&machine, &clocks) ?? 0
      #expect(pause >= bound * Self.second / 2 && pause <= bound * Self.second, "\(pause)")
    }
  }

  @Test func failureIsToldOnceWhenItBeginsAndOnceWhenItEnds() {
    var machine = RefreshMachine()
    var clocks = Clocks(wall: start)
    #expect(next(&machine, clocks) == .attempt)
    var notices: [RefreshMachine.Notice?] = []
    for _ in 0..<3 {
      notices.append(machine.failed(now: clocks.now, entropy: Bits()))
      #expect(machine.isFailing)
      _ = untilAttempt(&machine, &clocks)
    }
    notices.append(machine.succeeded(end: nil, wall: clocks.wall, entropy: Bits()))
    #expect(notices == [.failing, nil, nil, .recovered])
    #expect(!machine.isFailing)
  }

  @Test func aFailedRefreshGoesOnUntilItSucceeds() {
    var clocks = Clocks(wall: start)
    var machine = held(lasting: 60, &clocks)
    for _ in 0..<30 {
      #expect(untilAttempt(&machine, &clocks) != nil)
      _ = machine.failed(now: clocks.now, entropy: Bits(value: .max))
    }
    #expect(clocks.wall > start.advanced(byNanoseconds: 200 * Self.second))
  }

  @Test func aDemandDuringAPauseIsTooSoonAndBeginsNothing() {
    var machine = RefreshMachine()
    let clocks = Clocks(wall: start)
    _ = next(&machine, clocks)
    _ = machine.failed(now: clocks.now, entropy: Bits())
    #expect(machine.demand(now: clocks.now) == .tooSoon)
    guard case .wait = next(&machine, clocks) else {
      Issue.record("it does not wait")
      return
    }
  }

  @Test func whatIsRefusedEachTimeIsAskedForLessAndLess() {
    var clocks = Clocks(wall: start)
    var machine = held(lasting: 3600, &clocks)
    #expect(machine.demand(now: clocks.now, isRefused: true) == .begins)
    #expect(next(&machine, clocks) == .attempt)
    _ = machine.succeeded(
      end: start.advanced(byNanoseconds: 3600 * Self.second), wall: start, entropy: Bits())
    machine.noteFresh(refused: true, now: clocks.now, entropy: Bits(value: .max))
    #expect(machine.demand(now: clocks.now, isRefused: true) == .tooSoon)
    clocks.advance(Self.second)
    #expect(machine.demand(now: clocks.now, isRefused: true) == .begins)
    // One that helps clears it.
    machine.noteFresh(refused: false, now: clocks.now, entropy: Bits())
    _ = next(&machine, clocks)
    _ = machine.succeeded(end: nil, wall: clocks.wall, entropy: Bits())
    #expect(machine.demand(now: clocks.now, isRefused: true) == .begins)
  }

  @Test func aLazyOneAsksWhenSomebodyDemandsItAndRefreshesWhileItIsUsed() {
    var machine = RefreshMachine(isLazy: true)
    var clocks = Clocks(wall: start)
    #expect(next(&machine, clocks) == .rest)
    #expect(machine.demand(now: clocks.now) == .begins)
    #expect(next(&machine, clocks) == .attempt)
    _ = machine.succeeded(
      end: start.advanced(byNanoseconds: 3600 * Self.second), wall: start, entropy: Bits())
    var unused = machine
    var later = clocks
    #expect(untilAttempt(&machine, &clocks) != nil)
    #expect(untilAttempt(&unused, &later, isWanted: false) == nil)
    #expect(later.wall >= start.advanced(byNanoseconds: 3600 * Self.second), "it may be used until its end")
    #expect(unused.demand(now: later.now) == .begins)
  }

  @Test func aWallClockThatIsSetIsNoticedWithinAMinute() {
    var clocks = Clocks(wall: start)
    var machine = held(lasting: 36_000, &clocks)
    guard case .wait(let nanoseconds) = next(&machine, clocks) else {
      Issue.record("it does not wait")
      return
    }
    #expect(nanoseconds <= 60 * Self.second)
    clocks.wall = clocks.wall.advanced(byNanoseconds: 40_000 * Self.second)
    #expect(next(&machine, clocks) == .attempt)
  }

  @Test func aSourceOfCredentialsThatEndAtOnceIsNotAskedWithoutAPause() {
    var clocks = Clocks(wall: start)
    var machine = held(lasting: 1, &clocks)
    let pause = untilAttempt(&machine, &clocks) ?? 0
    #expect(pause >= Self.second / 2)
  }
}
