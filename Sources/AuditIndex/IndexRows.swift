internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import Primitives

/// A request as the index knows it.
struct IndexRow {
  let sequence: Int
  let time: WallClockTime
  let first: RecordPlace
  let second: RecordPlace?
  let finding: RecordPlace?

  private static let columns = """
    SELECT sequence, time, segment, offset, length, secondSegment, secondOffset, secondLength,
      findingSegment, findingOffset, findingLength FROM request
    """

  static func fetch(_ sequence: Int, _ db: Database) throws -> IndexRow? {
    let statement = try db.cachedStatement(sql: columns + " WHERE sequence = ?")
    return try Row.fetchOne(statement, arguments: [sequence]).map { IndexRow($0) }
  }

  private init(_ row: Row) {
    sequence = row[0]
    time = WallClockTime(nanoseconds: row[1])
    first = RecordPlace(segment: SegmentName(firstSequence: row[2]), offset: row[3], length: row[4])
    second = Self.place(row[5], row[6], row[7])
    finding = Self.place(row[8], row[9], row[10])
  }

  private static func place(_ segment: Int?, _ offset: Int?, _ length: Int?) -> RecordPlace? {
    guard let segment, let offset, let length else { return nil }
    return RecordPlace(segment: SegmentName(firstSequence: segment), offset: offset, length: length)
  }

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
      first: record, second: try Self.record(at: second, in: lines),
      finding: try Self.record(at: finding, in: lines))
  }

  private static func record(at place: RecordPlace?, in lines: PlacedLines) throws -> JournalRecord? {
    guard let place else { return nil }
    guard let line = try lines.line(at: place), let record = JournalRecord(line: line) else {
      throw IndexFailure.stale
    }
    return record
  }
}
