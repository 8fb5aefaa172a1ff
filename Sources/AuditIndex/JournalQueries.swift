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
  package func forEachRequest(
    matching filter: QueryFilter, newestFirst: Bool, _ body: (RequestHistory) -> Bool
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
        guard let request = try found.request(in: lines), filter.matches(request) else { continue }
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
    guard let line = try lines.line(at: first) else {
      // Retention took it since it was indexed; anything else means that the journal is another.
      guard try !lines.segments().contains(first.segment) else { throw IndexFailure.stale }
      return nil
    }
    guard let record = JournalRecord(line: line), record.sequence == sequence else {
      throw IndexFailure.stale
    }
    return RequestHistory(
      first: record, second: try Self.record(at: second, of: record, in: lines),
      finding: try Self.record(at: finding, of: record, in: lines))
  }

  private static func record(
    at place: RecordPlace?, of first: JournalRecord, in lines: PlacedLines
  ) throws -> JournalRecord? {
    guard let place else { return nil }
    guard let line = try lines.line(at: place), let record = JournalRecord(line: line) else {
      throw IndexFailure.stale
    }
    // The index compares hashes of ids.
    return record.requestId == first.requestId ? record : nil
  }
}
