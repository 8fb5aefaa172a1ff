internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import OpenSSLCrypto

/// How far the journal is indexed.
struct IndexState {
  /// Different after each time the index was begun anew.
  var build: Int64
  /// The first record that is kept.
  var base: Int
  /// The last record that is indexed, where it lies, and the SHA-256 of its line.
  var sequence: Int
  var place: RecordPlace
  var digest: SHA256Digest
  /// How many lines could not be read as records.
  var unreadable: Int

  /// Where the next record begins.
  var end: JournalPosition {
    JournalPosition(segment: place.segment, offset: place.offset + place.length + 1)
  }

  /// Whether the last record is still what it was. It vouches for all before it by its place in the chain.
  func holds(in lines: PlacedLines) throws(FileFault) -> Bool {
    guard let line = try lines.line(at: place) else { return false }
    return SHA256.digest(line) == digest
  }
}

extension IndexState {
  static func read(_ db: Database) throws -> IndexState? {
    guard
      let row = try Row.fetchOne(
        db,
        sql:
          "SELECT build, base, sequence, digest, segment, offset, length, unreadable FROM state WHERE id = 1"),
      let build = row.integer(0), let base = row.integer(1), let sequence = row.integer(2),
      let text = String.fromDatabaseValue(row[3]), let place = row.place(4), let unreadable = row.integer(7),
      let digest = SHA256Digest(lowercaseHex: Array(text.utf8)[...])
    else { return nil }
    return IndexState(
      build: Int64(build), base: base, sequence: sequence, place: place, digest: digest,
      unreadable: unreadable)
  }

  func write(_ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        build, base, sequence, digest.hex, place.segment.firstSequence, place.offset, place.length,
        unreadable,
      ])
  }
}
