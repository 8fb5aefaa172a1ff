import AuditTrail
import Primitives
import Testing

@testable import Gateway

@Suite struct MinuteHistoryTests {
  private func moment(_ seconds: Int64) -> WallClockTime { WallClockTime(seconds: seconds) }

  private func counts(created: Int, denied: Int, rule: Int = 0, slow: Int = 0) -> Metrics.Counts {
    var counts = Metrics.Counts()
    counts.requests = [
      .init(tenant: "crm", operation: "CreateAppInstanceUser", decision: .allowed, status: 201): created,
      .init(tenant: "crm", operation: "CreateAppInstanceUser", decision: .denied, status: 403): denied,
    ]
    counts.created = ["crm": created]
    counts.violations = [.init(policy: "p", rule: "tags.required", tenant: "crm", mode: "enforce"): rule]
    for _ in 0..<slow { counts.requestDurations.record(nanoseconds: 1_000_000, of: 0) }
    return counts
  }

  @Test func aMinuteIsWhatCameInIt() {
    var history = MinuteHistory(startedAt: moment(30))
    #expect(!history.isDue(at: moment(59)))
    #expect(history.isDue(at: moment(60)))
    history.take(counts(created: 3, denied: 1, rule: 1, slow: 4), at: moment(60))
    let minutes = history.all(with: counts(created: 5, denied: 1, rule: 1, slow: 6), at: moment(90))
    #expect(minutes.map(\.begin) == [moment(30), moment(60)])
    #expect(minutes.map(\.end) == [moment(60), moment(90)])
    #expect(minutes.map(\.tally.created) == [3, 2])
    #expect(minutes.map(\.tally.requests) == [4, 2])
    #expect(minutes.map { $0.tally.decisions[.denied] ?? 0 } == [1, 0])
    #expect(minutes.map { $0.tally.rules.values.reduce(0, +) } == [1, 0])
    #expect(minutes.map(\.tally.duration.count) == [4, 2])
    #expect(minutes[1].tally.tenants["crm"]?.requests == 2)
  }

  @Test func anHourIsKept() {
    var history = MinuteHistory(startedAt: moment(0))
    for minute in 1...100 { history.take(counts(created: minute, denied: 0), at: moment(60 * Int64(minute))) }
    #expect(history.minutes.count == MinuteHistory.length)
    #expect(history.minutes.first?.begin == moment(60 * 40))
    let all = history.all(with: counts(created: 101, denied: 0), at: moment(6030))
    #expect(all.count == MinuteHistory.length)
    #expect(all.reduce(into: Tally()) { $0.add($1.tally) }.created == 60)
  }

  @Test func tenantsBeyondTheBoundAreInTheSumsAlone() {
    var counts = Metrics.Counts()
    for number in 0..<300 {
      let key = Metrics.RequestKey(
        tenant: Text("t\(1000 + number)"), operation: "", decision: .denied, status: 403)
      counts.requests[key] = 1
    }
    let tally = Tally(from: Metrics.Counts(), to: counts)
    #expect(tally.requests == 300)
    #expect(tally.tenants.count == 256)
  }
}
