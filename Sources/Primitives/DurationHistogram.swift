/// Counts durations by upper bounds, as Prometheus histograms do.
package struct DurationHistogram: Sendable {
  /// Upper bounds in nanoseconds: 100 µs, which a good disk takes, to 10 s, which is most that a caller waits.
  package static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
    100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
  ]

  /// How many were within each bound and beyond the one before; the last counts those beyond all bounds.
  package private(set) var buckets = [Int](repeating: 0, count: bounds.count + 1)
  package private(set) var totalNanoseconds: Int64 = 0

  package init() {}

  /// How many there are in all.
  package var count: Int { buckets.reduce(0, +) }

  package mutating func record(nanoseconds: Int64) {
    buckets[Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count] += 1
    totalNanoseconds += nanoseconds
  }

  package mutating func add(_ other: Self) {
    for index in buckets.indices { buckets[index] += other.buckets[index] }
    totalNanoseconds += other.totalNanoseconds
  }
}
