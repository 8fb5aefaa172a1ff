import Primitives
import TestSupport
import Testing

@Suite struct DurationHistogramTests {
  @Test func aBoundBelongsToItsBucket() {
    for (index, bound) in DurationHistogram.bounds.enumerated() {
      var histogram = DurationHistogram()
      for nanoseconds in [bound - 1, bound, bound + 1] { histogram.record(nanoseconds: nanoseconds) }
      #expect(histogram.buckets[index] == 2 && histogram.buckets[index + 1] == 1)
      #expect(histogram.count == 3 && histogram.totalNanoseconds == 3 * bound)
    }
  }

  @Test func whatIsBelowAndAboveAllBoundsIsCountedToo() {
    var histogram = DurationHistogram()
    for nanoseconds in [Int64.min / 4, 0, Int64.max / 4] { histogram.record(nanoseconds: nanoseconds) }
    #expect(histogram.buckets.first == 2 && histogram.buckets.last == 1)
  }

  @Test func sumsAreThoseOfAllThatWasRecorded() {
    var random = SeededGenerator(seed: 1)
    var parts = [DurationHistogram](repeating: DurationHistogram(), count: 3)
    var whole = DurationHistogram()
    for _ in 0..<1000 {
      let nanoseconds = Int64.random(in: 0...20_000_000_000, using: &random)
      whole.record(nanoseconds: nanoseconds)
      parts[Int.random(in: 0..<3, using: &random)].record(nanoseconds: nanoseconds)
    }
    var sum = DurationHistogram()
    for part in parts { sum.add(part) }
    #expect(sum.buckets == whole.buckets && sum.totalNanoseconds == whole.totalNanoseconds)
  }
}
