internal import ChimeIdentity
package import Primitives

/// How long requests took, by their operation. All counts lie in one list, since each request adds to them.
package struct OperationDurations: Sendable {
  /// Those of requests whose operation is not known come first.
  static let operations = 1 + ChimeIdentity.Operation.allCases.count

  private var buckets = [Int](repeating: 0, count: operations * DurationHistogram.bucketCount)
  private var totals = [Int64](repeating: 0, count: operations)

  package init() {}

  /// - Parameter operation: its place among all and 1; 0 when it is not known.
  package mutating func record(nanoseconds: Int64, of operation: Int) {
    buckets[operation * DurationHistogram.bucketCount + DurationHistogram.bucket(of: nanoseconds)] += 1
    totals[operation] += nanoseconds
  }

  package mutating func add(_ other: Self) {
    for place in buckets.indices { buckets[place] += other.buckets[place] }
    for place in totals.indices { totals[place] += other.totals[place] }
  }

  /// Of all operations.
  package var sum: DurationHistogram {
    (0..<Self.operations).reduce(into: DurationHistogram()) { $0.add(histogram(of: $1)) }
  }

  /// Those that there were, with the operation's place.
  var all: [(operation: Int, histogram: DurationHistogram)] {
    (0..<Self.operations).compactMap { operation in
      let histogram = histogram(of: operation)
      return histogram.count == 0 ? nil : (operation, histogram)
    }
  }

  private func histogram(of operation: Int) -> DurationHistogram {
    let start = operation * DurationHistogram.bucketCount
    return DurationHistogram(
      buckets: Array(buckets[start..<start + DurationHistogram.bucketCount]),
      totalNanoseconds: totals[operation])
  }

  /// The name of the operation, or none.
  static func name(of place: Int) -> Text {
    place == 0 ? "" : ChimeIdentity.Operation(rawValue: UInt8(place - 1))?.text ?? ""
  }
}
