import Primitives
import Testing

@testable import Gateway

@Suite struct ExemplarTests {
  private let end = WallClockTime(nanoseconds: 1_520_879_607_089_000_000)

  private func trace(_ digit: Character) -> RequestTrace {
    let trace = String(repeating: digit, count: 32)
    let parent = TraceParent(Array("00-\(trace)-b7ad6b7169203331-01".utf8).span)
    return RequestTrace(after: parent, SystemEntropy())
  }

  @Test func eachBucketHasItsLast() throws {
    var exemplars = Exemplars()
    #expect(exemplars[operation: 0, bucket: 0] == nil)
    let fast = DurationHistogram.bucket(of: 400_000)
    exemplars.note(trace("1"), operation: 2, nanoseconds: 400_000, upstream: nil, at: end)
    exemplars.note(trace("2"), operation: 2, nanoseconds: 450_000, upstream: 300_000, at: end)
    exemplars.note(trace("3"), operation: 2, nanoseconds: 20_000_000_000, upstream: nil, at: end)
    exemplars.note(trace("4"), operation: 3, nanoseconds: 400_000, upstream: nil, at: end)
    let found = try #require(exemplars[operation: 2, bucket: fast])
    #expect(found.text.hasPrefix(" # {trace_id=\"\(String(repeating: "2", count: 32))\",span_id=\""))
    #expect(found.text.hasSuffix("\"} 0.00045 1520879607.089"))
    #expect(exemplars[upstream: fast]?.trace == found.trace)
    #expect(exemplars[upstream: fast]?.span != found.span)
    #expect(exemplars[operation: 2, bucket: DurationHistogram.bounds.count]?.nanoseconds == 20_000_000_000)
    #expect(exemplars[operation: 1, bucket: fast] == nil)
  }

  @Test func ofTwoWorkersTheLaterStays() throws {
    var (one, other, both) = (Exemplars(), Exemplars(), Exemplars())
    one.note(trace("1"), operation: 0, nanoseconds: 1, upstream: nil, at: end)
    let later = end.advanced(byNanoseconds: 1)
    other.note(trace("2"), operation: 0, nanoseconds: 1, upstream: 1, at: later)
    for worker in [one, Exemplars(), other, one] { both.add(worker) }
    #expect(both[operation: 0, bucket: 0]?.time == later)
    #expect(both[upstream: 0]?.time == later)
  }
}
