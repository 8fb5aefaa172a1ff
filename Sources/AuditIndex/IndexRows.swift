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
    return try Row.fetchOne(statement, arguments: [sequence]).map { row throws(IndexFailure) in
      try IndexRow(row)
    }
  }

  /// What somebody wrote into the file is no reason to stop, but one to make the index anew.
  private init(_ row: Row) throws(IndexFailure) {
    guard let sequence = row.integer(0), let time = row.integer(1), let first = row.place(2) else {
      throw .stale
    }
    self.sequence = sequence
    self.time = WallClockTime(nanoseconds: Int64(time))
    self.first = first
    second = row.place(5)
    finding = row.place(8)
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

extension Row {
  /// `nil` when it is something else, which GRDB would not forgive.
  func integer(_ index: Int) -> Int? { Int.fromDatabaseValue(self[index]) }

  /// From three columns; `nil` when no record can lie there.
  func place(_ index: Int) -> RecordPlace? {
    guard let segment = integer(index), segment > 0, let offset = integer(index + 1),
      let length = integer(index + 2), RecordPlace.canBe(offset: offset, length: length)
    else { return nil }
    return RecordPlace(segment: SegmentName(firstSequence: segment), offset: offset, length: length)
  }
}
