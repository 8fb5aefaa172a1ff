/// Counts durations by upper bounds, as Prometheus histograms do.
package struct DurationHistogram: Sendable {
  /// Upper bounds in nanoseconds: 100 µs, which a good disk takes, to 10 s, which is most that a caller waits.
  package static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
    100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
  ]

  /// How many were within each bound and beyond the one before; the last counts those beyond all bounds.
  package private(set) var buckets = [Int](repeating: 0, count: bucketCount)
  package private(set) var totalNanoseconds: Int64 = 0

  package init() {}

  /// - Parameter buckets: as many as `bucketCount`.
  package init(buckets: [Int], totalNanoseconds: Int64) {
    self.buckets = buckets
    self.totalNanoseconds = totalNanoseconds
  }

  package static let bucketCount = bounds.count + 1

  /// The place of the bucket that counts a duration.
  package static func bucket(of nanoseconds: Int64) -> Int {
    bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count
  }

  /// How many there are in all.
  package var count: Int { buckets.reduce(0, +) }

  package mutating func record(nanoseconds: Int64) {
    buckets[Self.bucket(of: nanoseconds)] += 1
    totalNanoseconds += nanoseconds
  }

  package mutating func add(_ other: Self) {
    for index in buckets.indices { buckets[index] += other.buckets[index] }
    totalNanoseconds += other.totalNanoseconds
  }

  /// What was recorded since `earlier`, a former state of this one.
  package func since(_ earlier: Self) -> Self {
    var difference = self
    for index in buckets.indices { difference.buckets[index] -= earlier.buckets[index] }
    difference.totalNanoseconds -= earlier.totalNanoseconds
    return difference
  }

  /// The duration that a share of all were within, in nanoseconds and as exactly as the bounds tell: between two of them
  /// durations are taken as spread evenly. `nil` when there are none.
  package func quantile(_ share: Double) -> Int64? {
    let count = count
    guard count > 0 else { return nil }
    let wanted = share * Double(count)
    var passed = 0.0
    for (index, bound) in Self.bounds.enumerated() {
      let inside = Double(buckets[index])
      if inside > 0, passed + inside >= wanted {
        let start = index == 0 ? 0 : Self.bounds[index - 1]
        return start + Int64(Double(bound - start) * max(0, wanted - passed) / inside)
      }
      passed += inside
    }
    return Self.bounds.last
  }
}
