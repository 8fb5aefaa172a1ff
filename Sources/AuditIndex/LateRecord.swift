internal import AuditStore
internal import AuditTrail
internal import Foundation
internal import GRDB
internal import Primitives

/// A record about a request that its zone's entries have no room for: a finding, an outcome in another segment, or one
/// that came after its intent's zone was written.
struct LateRecord {
  var place: RecordPlace
  /// What `reconcile` found out.
  var isFinding: Bool
  /// Whether, as far as this record tells, no answer is known; `nil` when it does not tell.
  var isUnknown: Bool?
  /// What the request can be found by because of it.
  var terms: [RecordTerm]
}

/// One whose request lies in a zone that is no longer at hand.
struct StrayRecord {
  /// The number of its intent.
  var intent: Int
  var requestId: Text?
  var record: LateRecord
}

extension StrayRecord {
  /// The request in the file that it is about.
  func find(in lines: PlacedLines, _ db: Database) throws -> RequestPosition? {
    for zone in try ZoneRow.fetch(holding: intent, db) {
      let entries = try zone.entries(db)
      for request in entries.indices where zone.origin.sequence(entries[request]) == intent {
        // Another record under that number is none that this one can belong to.
        guard let place = zone.origin.first(entries[request]), let line = try lines.line(at: place),
          let first = JournalRecord(line: line), first.requestId == requestId
        else { return nil }
        return RequestPosition(zone: zone.number, request: request)
      }
    }
    return nil
  }
}

extension LateRecord {
  func write(of position: RequestPosition, _ db: Database) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO late VALUES (?, ?, ?, ?, ?, ?, ?)").execute(
      arguments: [
        position.bits, isFinding, place.segment.firstSequence, place.offset, place.length,
        terms.map(\.bits).withUnsafeBytes { Data($0) }, isUnknown,
      ])
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO lateZone VALUES (?)").execute(arguments: [
      position.zone
    ])
  }

  /// Of the requests of a zone, in their order.
  static func fetch(ofZone zone: Int, _ db: Database) throws -> [(request: Int, record: LateRecord)] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT position, isFinding, segment, offset, length, terms, isUnknown FROM late
        WHERE position BETWEEN ? AND ? ORDER BY position, isFinding
        """)
    let range =
      RequestPosition(zone: zone, request: 0).bits...RequestPosition(zone: zone, request: 0xFFF).bits
    return try Row.fetchAll(statement, arguments: [range.lowerBound, range.upperBound]).map { row in
      guard let position = row.integer(0), let isFinding = row.integer(1), let place = row.place(2),
        let terms = Data.fromDatabaseValue(row[5])
      else { throw IndexFailure.stale }
      let record = LateRecord(
        place: place, isFinding: isFinding != 0, isUnknown: row.integer(6).map { $0 != 0 },
        terms: stride(from: 0, to: terms.count - 3, by: 4).map { offset in
          terms.withUnsafeBytes {
            RecordTerm(bits: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
          }
        })
      return (RequestPosition(bits: position).request, record)
    }
  }
}

/// All late records that a query may need: those in the file, by zone, and those in the tail about requests in the file.
struct LateRecords {
  /// What is known of a request because of the tail.
  struct Unknown {
    var sequence: Int
    var isUnknown: Bool
  }

  /// Zones with some, in order.
  private(set) var zones: [Int]
  private(set) var isUnknown: [RequestPosition: Unknown] = [:]
  private var inTail: [Int: [(request: Int, record: LateRecord)]] = [:]

  init(upTo zone: Int, _ db: Database) throws {
    zones = try Int.fetchAll(
      db, sql: "SELECT zone FROM lateZone WHERE zone <= ? ORDER BY zone", arguments: [zone])
  }

  mutating func add(_ stray: StrayRecord, of position: RequestPosition) {
    inTail[position.zone, default: []].append((position.request, stray.record))
    if let isUnknown = stray.record.isUnknown {
      self.isUnknown[position] = Unknown(sequence: stray.intent, isUnknown: isUnknown)
    }
    let place = zones.firstIndex { $0 >= position.zone } ?? zones.endIndex
    if place == zones.endIndex || zones[place] != position.zone { zones.insert(position.zone, at: place) }
  }

  /// In the order in which they were written.
  func records(ofZone zone: Int, _ db: Database) throws -> [(request: Int, record: LateRecord)] {
    guard has(zone) else { return [] }
    return try LateRecord.fetch(ofZone: zone, db) + (inTail[zone] ?? [])
  }

  private func has(_ zone: Int) -> Bool {
    var range = zones.startIndex..<zones.endIndex
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if zones[middle] == zone { return true }
      range = zones[middle] < zone ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }
}
