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

  private static let columns =
    "SELECT sequence, time, segment, offset, length, secondSegment, secondOffset, secondLength FROM request"

  static func fetch(_ sequence: Int, _ db: Database) throws -> IndexRow? {
    let statement = try db.cachedStatement(sql: columns + " WHERE sequence = ?")
    return try Row.fetchOne(statement, arguments: [sequence]).map { IndexRow($0) }
  }

  private init(_ row: Row) {
    sequence = row[0]
    time = WallClockTime(nanoseconds: row[1])
    first = RecordPlace(segment: SegmentName(firstSequence: row[2]), offset: row[3], length: row[4])
    if let segment: Int = row[5], let offset: Int = row[6], let length: Int = row[7] {
      second = RecordPlace(segment: SegmentName(firstSequence: segment), offset: offset, length: length)
    } else {
      second = nil
    }
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
    var end: JournalRecord?
    if let second {
      guard let line = try lines.line(at: second), let record = JournalRecord(line: line) else {
        throw IndexFailure.stale
      }
      end = record
    }
    return RequestHistory(first: record, second: end)
  }
}
