import AuditTrail
import ChimeIdentity
import Primitives
import TestSupport
import Testing

@testable import Gateway

@Suite struct CounterTableTests {
  /// The same as a dictionary, whatever keys come in whatever order.
  @Test func countsAsADictionaryDoes() {
    var generator = SeededGenerator(seed: 7)
    var table = CounterTable()
    var expected: [UInt64: Int] = [:]
    for _ in 0..<20_000 {
      // Few enough to meet again, and close together in their lower bits as packed labels are.
      let key = (generator.next() % 900 + 1) << (generator.next() % 2 * 32)
      table.increment(key)
      expected[key, default: 0] += 1
    }
    var found: [UInt64: Int] = [:]
    table.forEach { found[$0] = $1 }
    #expect(found == expected)
    #expect(table.count == expected.count)
  }

  @Test func anEmptyTableHasNothing() {
    let table = CounterTable()
    var calls = 0
    table.forEach { _, _ in calls += 1 }
    #expect(calls == 0)
  }

  @Test func labelsComeBackAsTheyWere() {
    let metrics = Metrics()
    for decision in AuditDecision.allCases {
      metrics.count(
        .init(
          tenant: 1, operation: .createAppInstanceUser, decision: decision, status: 201,
          isCreation: decision == .allowed),
        duration: 1, upstream: nil)
      metrics.count(
        .init(tenant: 0, operation: nil, decision: decision, status: 503, isCreation: false),
        duration: 1, upstream: 2)
    }
    let counts = metrics.counts(tenants: ["", "crm"])
    #expect(counts.requests.count == 2 * AuditDecision.allCases.count)
    for decision in AuditDecision.allCases {
      #expect(
        counts.requests[
          .init(tenant: "crm", operation: "CreateAppInstanceUser", decision: decision, status: 201)] == 1)
      #expect(counts.requests[.init(tenant: "", operation: "", decision: decision, status: 503)] == 1)
    }
    #expect(counts.created == ["crm": 1])
    #expect(counts.upstreamDuration.buckets.reduce(0, +) == AuditDecision.allCases.count)
  }
}
