internal import Primitives

/// For each bucket of the latency histograms the last traced request that it counts, so that whoever sees a slow one finds
/// its trace. Places are there from the first on and then stay as many, whatever comes.
struct Exemplars: Sendable {
  struct Exemplar: BitwiseCopyable, Sendable {
    let trace: TraceID
    let span: UInt64
    let nanoseconds: Int64
    /// When the request ended.
    let time: WallClockTime
  }

  /// By operation, as `OperationDurations` counts, then those of upstream; by bucket in each.
  private var places: [Exemplar?] = []

  private static let upstream = OperationDurations.operations
  private static let rows = upstream + 1

  /// - Parameters:
  ///   - operation: its place among all and 1; 0 when it is not known.
  ///   - upstream: nanoseconds; `nil` when it was not forwarded.
  mutating func note(
    _ trace: RequestTrace, operation: Int, nanoseconds: Int64, upstream: Int64?, at time: WallClockTime
  ) {
    if places.isEmpty {
      places = [Exemplar?](repeating: nil, count: Self.rows * DurationHistogram.bucketCount)
    }
    put(.init(trace: trace.trace, span: trace.span, nanoseconds: nanoseconds, time: time), in: operation)
    guard let upstream else { return }
    put(
      .init(trace: trace.trace, span: trace.forwarding, nanoseconds: upstream, time: time), in: Self.upstream)
  }

  private mutating func put(_ exemplar: Exemplar, in row: Int) {
    let bucket = DurationHistogram.bucket(of: exemplar.nanoseconds)
    places[row * DurationHistogram.bucketCount + bucket] = exemplar
  }

  /// Adds another worker's: of two for a bucket the later stays.
  mutating func add(_ other: Self) {
    guard !places.isEmpty, !other.places.isEmpty else {
      if places.isEmpty { self = other }
      return
    }
    for (place, exemplar) in other.places.enumerated() {
      guard let exemplar, places[place].map({ $0.time < exemplar.time }) ?? true else { continue }
      places[place] = exemplar
    }
  }

  /// Of a bucket of the operation's histogram.
  subscript(operation operation: Int, bucket bucket: Int) -> Exemplar? { at(operation, bucket) }

  /// Of a bucket of upstream's histogram.
  subscript(upstream bucket: Int) -> Exemplar? { at(Self.upstream, bucket) }

  private func at(_ row: Int, _ bucket: Int) -> Exemplar? {
    places.isEmpty ? nil : places[row * DurationHistogram.bucketCount + bucket]
  }
}

extension Exemplars.Exemplar {
  /// As OpenMetrics has it behind a bucket's sample.
  var text: String {
    let milliseconds = "\(time.nanoseconds / 1_000_000 % 1000)"
    let fraction = String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
    return " # {trace_id=\"\(trace.text)\",span_id=\"\(TraceID.hex(span))\"} \(Double(nanoseconds) / 1e9)"
      + " \(time.seconds).\(fraction)"
  }
}
