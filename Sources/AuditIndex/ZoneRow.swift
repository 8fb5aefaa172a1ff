internal import AuditStore
internal import AuditTrail
internal import Foundation
internal import GRDB
internal import Primitives

/// A zone as the index file has it, without its requests' terms.
struct ZoneRow {
  let number: Int
  let origin: ZoneOrigin
  let sequences: ClosedRange<Int>
  let times: ClosedRange<Int64>

  private static let columns =
    "SELECT number, segment, offset, origin, time, least, greatest, earliest, latest FROM zone"

  static func fetch(_ number: Int, _ db: Database) throws -> ZoneRow? {
    let statement = try db.cachedStatement(sql: columns + " WHERE number = ?")
    return try Row.fetchOne(statement, arguments: [number]).map { row throws(IndexFailure) in
      try ZoneRow(row)
    }
  }

  /// The last zone that may have the record; more than one may only in a journal that is out of order.
  static func fetch(holding sequence: Int, _ db: Database) throws -> [ZoneRow] {
    let statement = try db.cachedStatement(
      sql: columns + " WHERE least <= ?1 AND greatest >= ?1 ORDER BY number DESC LIMIT 4")
    return try Row.fetchAll(statement, arguments: [sequence]).map { row throws(IndexFailure) in
      try ZoneRow(row)
    }
  }

  /// What somebody wrote into the file is no reason to stop, but one to make the index anew.
  private init(_ row: Row) throws(IndexFailure) {
    guard let number = row.integer(0), (1..<IndexFile.mostZones).contains(number),
      let segment = row.integer(1),
      segment > 0, let offset = row.integer(2), RecordPlace.canBe(offset: offset, length: 1),
      let sequence = row.integer(3), sequence.magnitude < 1 << 60, let time = row.integer(4),
      let least = row.integer(5), let greatest = row.integer(6), least <= greatest,
      let earliest = row.integer(7), let latest = row.integer(8), earliest <= latest
    else { throw .stale }
    self.number = number
    origin = ZoneOrigin(segment: segment, offset: offset, sequence: sequence, time: Int64(time))
    sequences = least...greatest
    times = Int64(earliest)...Int64(latest)
  }

  /// Where the records of its requests lie.
  func entries(_ db: Database) throws -> ScratchArray<RequestEntry> {
    let statement = try db.cachedStatement(sql: "SELECT entries FROM places WHERE zone = ?")
    var entries = ScratchArray<RequestEntry>()
    guard let row = try Row.fetchOne(statement, arguments: [number]),
      let bytes = Data.fromDatabaseValue(row[0]), bytes.count.isMultiple(of: RequestEntry.size),
      bytes.count <= RequestEntry.size * RequestSet.capacity
    else { throw IndexFailure.stale }
    entries.reserve(bytes.count / RequestEntry.size)
    bytes.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count, by: RequestEntry.size) {
        entries.append(bytes.loadUnaligned(fromByteOffset: offset, as: RequestEntry.self))
      }
    }
    return entries
  }
}

extension ZoneBuilder {
  /// Writes the zone, all at once.
  mutating func write(_ db: Database) throws {
    try db.cachedStatement(sql: "INSERT INTO zone VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
      number, origin.segment, origin.offset, origin.sequence, origin.time, sequences.lowerBound,
      sequences.upperBound, times.lowerBound, times.upperBound,
    ])
    let bytes = entries.span.withUnsafeBytes { Data($0) }
    try db.cachedStatement(sql: "INSERT INTO places VALUES (?, ?)").execute(arguments: [number, bytes])
    let insert = try db.cachedStatement(sql: "INSERT INTO posting VALUES (?, ?)")
    let number = number
    try forEachBucket { bucket, lists in
      try insert.execute(arguments: [IndexFile.posting(bucket, zone: number), Data(lists)])
    }
    for request in entries.indices where isUnknown(request) {
      try IndexFile.setUnknown(
        true, RequestPosition(zone: number, request: request), origin.sequence(entries[request]), db)
    }
    for (request, record) in late {
      try record.write(of: RequestPosition(zone: number, request: request), db)
    }
  }
}

/// A request's place in the order of the journal.
struct RequestPosition: Comparable, Hashable {
  /// Of the zone and of the request in it.
  let bits: Int

  init(bits: Int) { self.bits = bits }
  init(zone: Int, request: Int) { bits = zone << 12 | request }

  var zone: Int { bits >> 12 }
  var request: Int { bits & 0xFFF }

  static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}
