import Primitives
import Testing

@testable import Gateway

@Suite struct DrainMachineTests {
  private func at(_ milliseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
  }

  private func draining(timeout: Int64 = 1000) -> DrainMachine {
    var machine = DrainMachine()
    let begins = machine.begin(now: at(0), timeout: timeout * 1_000_000)
    #expect(begins)
    return machine
  }

  @Test func itBeginsOnce() {
    var machine = draining()
    let again = machine.begin(now: at(500), timeout: 9_000_000_000)
    #expect(!again)
    #expect(machine.end == at(1000))
  }

  @Test func itEndsWithTheLastConnection() {
    var machine = draining()
    #expect(machine.check(openConnections: 2, now: at(0)) == .interruptIdle(thenWait: 20_000_000))
    #expect(machine.check(openConnections: 1, now: at(20)) == .interruptIdle(thenWait: 20_000_000))
    #expect(machine.check(openConnections: 0, now: at(40)) == .stop(abandoned: 0))
  }

  @Test func itWaitsNoLongerThanItMay() {
    var machine = draining()
    #expect(machine.check(openConnections: 3, now: at(995)) == .interruptIdle(thenWait: 5_000_000))
    #expect(machine.check(openConnections: 3, now: at(1000)) == .stop(abandoned: 3))
    #expect(machine.check(openConnections: 3, now: at(1020)) == .stop(abandoned: 0))
  }

  @Test func noTimeAtAllIsEnoughForNothing() {
    var machine = draining(timeout: 0)
    #expect(machine.check(openConnections: 1, now: at(0)) == .stop(abandoned: 1))
  }

  @Test func spansGetHalfOfWhatIsLeft() {
    let machine = draining(timeout: 30_000)
    #expect(machine.endForSpans(now: at(10_000)) == at(20_000))
    #expect(machine.endForSpans(now: at(40_000)) == at(40_000))
  }

  @Test func theJournalGetsWhatIsLeftAndASecondAtLeast() {
    #expect(DrainMachine().timeForJournal(now: at(0)) == nil)
    #expect(DrainMachine().end == nil)
    let machine = draining(timeout: 30_000)
    #expect(machine.timeForJournal(now: at(10_000)) == 20_000_000_000)
    #expect(machine.timeForJournal(now: at(29_500)) == 1_000_000_000)
    #expect(machine.timeForJournal(now: at(40_000)) == 1_000_000_000)
  }
}
