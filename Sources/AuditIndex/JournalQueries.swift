internal import AuditStore
package import AuditTrail
internal import GRDB
internal import Primitives

extension JournalIndex {
  /// How many requests are looked for at once: few at first, because few may be wanted. Between two such chunks the index
  /// can be written.
  private static let fewest = 32
  private static let most = 512

  /// Calls `body` with each request that `filter` describes, in the order of their first records or from the last one
  /// back, until it returns `false`: as of the last update.
  /// - Parameters:
  ///   - altered: called with each request that was one of them when it was indexed and that the journal tells otherwise
  ///     now, when the chain does not hold what it tells.
  ///   - passing: called with each request that was looked at and is none of them; whether to go on.
  package func forEachRequest(
    matching filter: QueryFilter, newestFirst: Bool, altered: (RequestHistory) -> Void = { _ in },
    passing: (RequestHistory) -> Bool = { _ in true }, _ body: (RequestHistory) -> Bool
  ) throws {
    defer { lines.closeAll() }
    var late: LateRecords?
    var passed: RequestPosition?
    var count = Self.fewest
    while true {
      let chunk = try file.queue.read { db in
        let known = try late ?? lateRecords(db)
        late = known
        return try search(
          filter, newestFirst ? IndexSearch.Order.newestFirst : .oldestFirst, known, after: passed, count, db)
      }
      guard let last = chunk.found.last else { return }
      for found in chunk.found {
        guard let request = try found.request(in: lines) else { continue }
        guard filter.matches(request) else {
          if request.doubt != nil { altered(request) }
          guard passing(request) else { return }
          continue
        }
        guard body(request) else { return }
      }
      passed = last.position
      count = min(Self.most, 2 * count)
    }
  }
}

extension FoundRequest {
  /// What the journal says there.
  /// - Returns: `nil` when the segment is no longer kept.
  func request(in lines: PlacedLines) throws -> RequestHistory? {
    guard let record = try lines.record(at: first), record.sequence == sequence else {
      return try Self.absent(first, in: lines)
    }
    var request = RequestHistory(first: record, second: nil)
    for (place, isFinding) in [(second, false), (finding, true)] {
      guard let place else { continue }
      // Retention takes the beginning first: when this is gone, so is all before it.
      guard let other = try lines.record(at: place) else { return try Self.absent(place, in: lines) }
      // The index compares hashes of ids.
      guard other.requestId == record.requestId else { continue }
      request = RequestHistory(
        first: record, second: isFinding ? request.second : other, finding: isFinding ? other : nil)
    }
    return request
  }

  /// Retention took it since it was indexed; anything else means that the journal is another.
  private static func absent(_ place: RecordPlace, in lines: PlacedLines) throws -> RequestHistory? {
    guard try !lines.segments().contains(place.segment) else { throw IndexFailure.stale }
    return nil
  }
}
