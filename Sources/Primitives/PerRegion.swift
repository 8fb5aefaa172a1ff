/// What there is one of for each region that is served: first that of `upstream.region`, then those of
/// `upstream.otherRegions` in their order. A region is known by its place among them, which no reload changes.
///
/// Mostly there is only one, which is found without looking into an array.
package struct PerRegion<Value> {
  package let first: Value
  package let others: [Value]

  @inlinable package init(_ first: Value, _ others: [Value] = []) {
    self.first = first
    self.others = others
  }

  @inlinable package subscript(region region: Int) -> Value { region == 0 ? first : others[region - 1] }

  /// Lends one instead of taking it out, which would count its references.
  @inlinable @inline(__always)
  package func with<R>(region: Int, _ use: (Value) -> R) -> R {
    region == 0 ? use(first) : use(others[region - 1])
  }

  package var all: [Value] { [first] + others }
  package var count: Int { 1 + others.count }

  package func map<Other, Failure: Error>(
    _ transform: (Value) throws(Failure) -> Other
  ) throws(Failure) -> PerRegion<Other> {
    let first = try transform(first)
    var others: [Other] = []
    for other in self.others { others.append(try transform(other)) }
    return PerRegion<Other>(first, others)
  }
}

extension PerRegion: Sendable where Value: Sendable {}
