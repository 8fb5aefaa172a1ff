internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import OpenSSLCrypto

/// How far the journal is in the index file.
struct IndexState: Equatable {
  /// Different after each time the index was begun anew; the key of its terms' hashes.
  var build: Int64
  /// The first record that is kept.
  var base = 0
  /// The last zone that is written; 0: none.
  var zone = 0
  /// The last record of that zone.
  var sequence = 0
  /// Where its last line lies, and the SHA-256 of that; `nil` when there is no zone.
  var last: (place: RecordPlace, digest: SHA256Digest)?
  /// How many lines could not be read as records.
  var unreadable = 0

  static func == (left: Self, right: Self) -> Bool {
    // What is written never changes without these.
    (left.build, left.base, left.zone) == (right.build, right.base, right.zone)
  }

  /// Where the next line begins; `nil`: with the first that is kept.
  var end: JournalPosition? {
    last.map { JournalPosition(segment: $0.place.segment, offset: $0.place.offset + $0.place.length + 1) }
  }

  /// Whether the last line is still what it was. It vouches for all before it by its place in the chain.
  func holds(in lines: PlacedLines) throws(FileFault) -> Bool {
    guard let last else { return true }
    guard let line = try lines.line(at: last.place) else { return false }
    return SHA256.digest(line) == last.digest
  }
}

extension IndexState {
  /// `nil` when what stands there is none.
  static func read(_ db: Database) throws -> IndexState? {
    let statement = try db.cachedStatement(
      sql:
        "SELECT build, base, zone, sequence, digest, segment, offset, length, unreadable FROM state WHERE id = 1"
    )
    guard let row = try Row.fetchOne(statement), let build = row.integer(0), let base = row.integer(1),
      let zone = row.integer(2), (0..<IndexFile.mostZones).contains(zone), let sequence = row.integer(3),
      let text = String.fromDatabaseValue(row[4]), let unreadable = row.integer(8)
    else { return nil }
    var state = IndexState(
      build: Int64(build), base: base, zone: zone, sequence: sequence, unreadable: unreadable)
    if zone > 0 {
      guard let place = row.place(5), let digest = SHA256Digest(lowercaseHex: Array(text.utf8)[...]) else {
        return nil
      }
      state.last = (place, digest)
    }
    return state
  }

  func write(_ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    try statement.execute(arguments: [
      build, base, zone, sequence, last?.digest.hex ?? "", last?.place.segment.firstSequence,
      last?.place.offset,
      last?.place.length, unreadable,
    ])
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
