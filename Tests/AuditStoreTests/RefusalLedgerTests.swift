import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditStore

/// Which refused requests get a record, and that those that get none are all told of.
@Suite struct RefusalLedgerTests {
  private let start = WallClockTime(seconds: 1_800_000_000)

  private func at(_ milliseconds: Int) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(milliseconds) * 1_000_000)
  }

  private func stranger(
    _ source: String = "203.0.113.7", _ decision: AuditDecision = .unauthenticated
  ) -> UnforwardedRequest {
    UnforwardedRequest(decision, from: Text(source), isBudgeted: true)
  }

  /// One that expectations can ask.
  private final class Ledger {
    var it: RefusalLedger
    init(_ limits: RefusalBudget) { it = RefusalLedger(limits) }

    func admit(
      _ request: UnforwardedRequest, bytes: Int, now: MonotonicInstant, time: WallClockTime
    ) -> Bool {
      it.admit(request, bytes: bytes, now: now, time: time)
    }

    func take(now: MonotonicInstant, isLast: Bool) -> SuppressedRequests? {
      it.take(now: now, isLast: isLast)
    }
  }

  @Test func aSourceGetsItsBytesASecondAndNoMore() {
    let ledger = Ledger(RefusalBudget(perSecond: 1 << 20, perSourcePerSecond: 10_000))
    var admitted = 0
    for millisecond in 0..<10_000
    where ledger.admit(stranger(), bytes: 860, now: at(millisecond), time: start) {
      admitted += 1
      ledger.it.settle(bytes: 860)
    }
    // A thousand bytes each with its place in the chain: ten at once, then ten a second.
    #expect((105...110).contains(admitted))
    #expect(ledger.it.suppressed == 10_000 - admitted)
    #expect(ledger.take(now: at(20_000), isLast: false)?.count == 10_000 - admitted)
  }

  @Test func allSourcesTogetherHaveABudgetToo() {
    let ledger = Ledger(RefusalBudget(perSecond: 10_000, perSourcePerSecond: 10_000))
    var admitted = 0
    for number in 0..<10_000 {
      if ledger.admit(stranger("2001:db8:\(number)::/64"), bytes: 860, now: at(number), time: start) {
        admitted += 1
      }
    }
    #expect((105...110).contains(admitted))
    #expect(ledger.take(now: at(20_000), isLast: false)?.count == 10_000 - admitted)
  }

  @Test func loudSourceDoesNotUseUpWhatOthersHave() {
    let ledger = Ledger(.standard)
    for number in 0..<1000 { _ = ledger.admit(stranger(), bytes: 900, now: at(number), time: start) }
    #expect(ledger.admit(stranger("198.51.100.1"), bytes: 900, now: at(1000), time: start))
  }

  @Test func tenantsRequestsHaveNoBudgetButABoundWhileTheyWait() {
    let ledger = Ledger(RefusalBudget(perSecond: 1, perSourcePerSecond: 1))
    let denied = UnforwardedRequest(.denied, from: "203.0.113.7", isBudgeted: false)
    let bytes = 16 << 10
    var admitted = 0
    for _ in 0..<1000 where ledger.admit(denied, bytes: bytes, now: at(0), time: start) { admitted += 1 }
    #expect(admitted == RefusalLedger.mostWaiting / bytes)
    ledger.it.settle(bytes: bytes)
    #expect(ledger.admit(denied, bytes: bytes, now: at(0), time: start))
    #expect(ledger.take(now: at(2000), isLast: false)?.byDecision == [.denied: 1000 - admitted])
  }

  @Test func littleSpaceIsLeftToServedRequests() {
    let ledger = Ledger(.standard)
    ledger.it.isSpaceLow = true
    let denied = UnforwardedRequest(.denied, from: "203.0.113.7", isBudgeted: false)
    #expect(!ledger.admit(denied, bytes: 100, now: at(0), time: start))
    ledger.it.isSpaceLow = false
    #expect(ledger.admit(denied, bytes: 100, now: at(0), time: start))
  }

  @Test func aRecordIsToldOnceASecondAndAtTheEnd() throws {
    let ledger = Ledger(RefusalBudget(perSecond: 1, perSourcePerSecond: 1))
    #expect(ledger.take(now: at(0), isLast: true) == nil, "nothing to tell")
    #expect(
      ledger.admit(stranger(), bytes: 900, now: at(0), time: start), "something is recorded at any rate")
    #expect(!ledger.admit(stranger(), bytes: 900, now: at(1), time: start))
    #expect(ledger.take(now: at(500), isLast: false) == nil)
    #expect(ledger.take(now: at(1001), isLast: false)?.count == 1)
    #expect(!ledger.admit(stranger(), bytes: 900, now: at(1002), time: start))
    #expect(ledger.take(now: at(1003), isLast: false) == nil)
    let last = try #require(ledger.take(now: at(1003), isLast: true))
    #expect(last.count == 1 && last.bytes == 900 && last.since == start)
    #expect(ledger.take(now: at(1003), isLast: true) == nil)
  }

  @Test func theLoudestAreNamedAndTheOthersCounted() throws {
    let ledger = Ledger(RefusalBudget(perSecond: 1, perSourcePerSecond: 1))
    for source in 1...25 {
      for _ in 0..<source {
        ledger.it.isSpaceLow = true
        _ = ledger.admit(stranger("198.51.100.\(source)", .throttled), bytes: 10, now: at(0), time: start)
      }
    }
    let told = try #require(ledger.take(now: at(1000), isLast: false))
    #expect(told.count == 325 && told.byDecision == [.throttled: 325])
    #expect(told.loudest.map(\.count) == Array((16...25).reversed()))
    #expect(told.loudest.first?.address == "198.51.100.25")
    #expect(told.more == 15)
  }

  @Test func anyNumberOfSourcesTakesBoundedMemoryAndTheLoudOneIsFound() throws {
    let ledger = Ledger(.standard)
    ledger.it.isSpaceLow = true
    for number in 0..<50_000 {
      _ = ledger.admit(stranger("2001:db8:\(number)::/64"), bytes: 10, now: at(0), time: start)
      if number.isMultiple(of: 10) {
        _ = ledger.admit(stranger("203.0.113.7"), bytes: 10, now: at(0), time: start)
      }
    }
    let told = try #require(ledger.take(now: at(1000), isLast: false))
    #expect(told.count == 55_000)
    #expect(told.loudest.first == .init(address: "203.0.113.7", count: 5000))
    #expect(told.loudest.count == 10)
    #expect(told.more + 10 >= 50_001)
    #expect(ledger.it.sourceCount <= RefusalLedger.mostSources)
  }

  @Test func lostOutcomesOfServedRequestsAreToldAsWell() throws {
    let ledger = Ledger(.standard)
    ledger.it.lose(outcomes: 3, bytes: 1200, now: at(0), time: start)
    #expect(ledger.it.untoldOutcomes == 3)
    let told = try #require(ledger.take(now: at(1000), isLast: false))
    #expect(told.byDecision == [.allowed: 3] && told.bytes == 1200 && told.more == 0)
    #expect(ledger.it.untoldOutcomes == 0)
  }

  @Test func theRecordIsOneThatReadersKnow() throws {
    var told = SuppressedRequests(since: start)
    told.add(.unauthenticated, count: 7, bytes: 700)
    told.add(.invalid, bytes: 1)
    told.loudest = [.init(address: "2001:db8::/64", count: 8)]
    told.more = 3
    var lines = ChainedLines()
    var head = ChainHead.genesis
    lines.append(told.record(at: start), after: &head)
    let line = lines.withBytes { Array($0.dropLast()) }
    let record = try #require(JournalRecord(line: line))
    #expect(record.kind == .suppressed && record.requestId == nil)
    #expect(record.integer("count") == 8 && record.integer("bytes") == 701)
    let text = String(decoding: line, as: UTF8.self)
    #expect(
      text.hasSuffix(
        #""count":8,"bytes":701,"since":"2027-01-15T08:00:00.000Z","byDecision":{"unauthenticated":7,"invalid":1},"#
          + #""sources":{"loudest":[{"address":"2001:db8::/64","count":8}],"more":3}}"#))
  }
}
