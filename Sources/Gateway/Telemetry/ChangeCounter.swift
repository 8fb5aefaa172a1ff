internal import PolicyEngine
internal import Primitives

/// Counts what policies change in requests, without a copy of what is changed: a change is known by a hash, and its names
/// are kept when it first comes.
struct ChangeCounter: ~Copyable {
  /// More policies and tags than a folder sensibly has; others are counted together.
  private static let mostNames = 4096
  private static let others: UInt64 = 1
  /// Hashes are above it.
  private static let least: UInt64 = 2

  private var table = CounterTable()
  private var names: [UInt64: Metrics.ChangeKey] = [:]

  /// - Parameter snapshot: whose policies changed it.
  mutating func count(_ request: borrowing GovernedRequest, under snapshot: Snapshot) {
    for index in 0..<request.changeCount {
      let hash = max(Self.least, request.changeHash(index))
      if !table.increment(known: hash) { begin(hash, request, index, snapshot) }
    }
  }

  /// Its first.
  private mutating func begin(
    _ hash: UInt64, _ request: borrowing GovernedRequest, _ index: Int, _ snapshot: Snapshot
  ) {
    guard names.count < Self.mostNames else { return table.increment(Self.others) }
    names[hash] = Metrics.ChangeKey(
      policy: request.changer(index).map { snapshot.policies.name(of: $0) ?? "" } ?? "gatehouse",
      field: request.changedField(index).uncheckedText)
    table.increment(hash)
  }

  var counts: [Metrics.ChangeKey: Int] {
    var counts: [Metrics.ChangeKey: Int] = [:]
    table.forEach { hash, count in
      counts[names[hash] ?? Metrics.ChangeKey(policy: "", field: ""), default: 0] += count
    }
    return counts
  }
}
