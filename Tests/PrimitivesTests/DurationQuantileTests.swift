import Primitives
import Testing

@Suite struct DurationQuantileTests {
  @Test func nothingHasNone() { #expect(DurationHistogram().quantile(0.5) == nil) }

  @Test func durationsAreSpreadEvenlyBetweenBounds() {
    var durations = DurationHistogram()
    for _ in 0..<10 { durations.record(nanoseconds: 700_000) }
    #expect(durations.quantile(0.5) == 750_000)
    #expect(durations.quantile(1) == 1_000_000)
    for _ in 0..<10 { durations.record(nanoseconds: 50_000) }
    #expect(durations.quantile(0.5) == 100_000)
    #expect(durations.quantile(0.75) == 750_000)
  }

  @Test func beyondTheLastBoundItIsThat() {
    var durations = DurationHistogram()
    durations.record(nanoseconds: 60_000_000_000)
    #expect(durations.quantile(0.99) == 10_000_000_000)
  }

  @Test func aDifferenceIsWhatCameBetween() {
    var durations = DurationHistogram()
    durations.record(nanoseconds: 50_000)
    let earlier = durations
    durations.record(nanoseconds: 700_000)
    let difference = durations.since(earlier)
    #expect(difference.count == 1)
    #expect(difference.totalNanoseconds == 700_000)
  }
}
