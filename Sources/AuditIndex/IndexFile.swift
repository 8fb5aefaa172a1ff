internal import AuditStore
internal import Glibc
internal import GRDB

/// The SQLite file beside the segments. It can be deleted at any time; whatever is wrong with it, it is made anew.
struct IndexFile {
  static let name = "index.sqlite"
  /// Changes with the tables and with what they mean; a file of another format is made anew.
  private static let format = 6
  /// How long a writer waits for another, in seconds; each holds the file for a fraction of one.
  private static let lockTimeout = 2.0
  /// The journal goes before the index: below that much free space the index does not grow.
  private static let spaceForJournal: UInt64 = 64 << 20

  let queue: DatabaseQueue
  private let directory: String
  private let inode: ino_t?

  /// Opens the file, or makes it.
  init(in directory: String) throws {
    self.directory = directory
    do {
      queue = try Self.open(in: directory)
    } catch let error as DatabaseError where error.isDamage {
      Self.remove(in: directory)
      queue = try Self.open(in: directory)
    }
    inode = Self.inode(in: directory)
  }

  /// Whether the file that is open is the one that others find: another process may have replaced it.
  var isInPlace: Bool { inode != nil && Self.inode(in: directory) == inode }

  private static func inode(in directory: String) -> ino_t? {
    var status = stat()
    return stat("\(directory)/\(name)", &status) == 0 ? status.st_ino : nil
  }

  /// Removes the file and what SQLite keeps beside it.
  static func remove(in directory: String) {
    for suffix in ["", "-wal", "-shm"] { unlink("\(directory)/\(name)\(suffix)") }
  }

  /// Whether there is so much space that the index cannot be what takes the journal's.
  var hasSpace: Bool {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return false }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize) > Self.spaceForJournal
  }

  private static func open(in directory: String) throws -> DatabaseQueue {
    let path = "\(directory)/\(name)"
    try create(path, in: directory)
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(lockTimeout)
    configuration.prepareDatabase { db in
      // What a power cut takes is indexed again. Few pages are looked at twice: a megabyte holds them.
      try db.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1000")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // Most often it is; then nobody is kept from writing.
    if try queue.read({ try hasFormat($0) }) { return queue }
    try queue.write { db in
      guard try !hasFormat(db) else { return }
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      for table in tables { try db.execute(sql: "DROP TABLE \"\(table)\"") }
      try db.execute(sql: schema)
      try begin(db)
      try db.execute(sql: "PRAGMA user_version = \(format)")
    }
    return queue
  }

  private static func hasFormat(_ db: Database) throws -> Bool {
    try Int.fetchOne(db, sql: "PRAGMA user_version") == format
  }

  /// Makes the file readable by the journal's owner only, who need not be whoever asks.
  private static func create(_ path: String, in directory: String) throws {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw IndexFailure.unwritable(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var folder = stat()
    if geteuid() == 0, stat(directory, &folder) == 0 { _ = fchown(descriptor, folder.st_uid, folder.st_gid) }
    _ = fchmod(descriptor, 0o600)
  }

  /// Empties the tables and begins anew.
  /// - Returns: that nothing is indexed.
  @discardableResult
  static func begin(_ db: Database) throws -> IndexState {
    for table in ["zone", "places", "posting", "late", "lateZone", "unknown", "state"] {
      try db.execute(sql: "DELETE FROM \(table)")
    }
    let state = IndexState(build: Int64.random(in: 1...Int64.max))
    try state.write(db)
    return state
  }

  /// Drops the zones of segments before the one that begins with record `base`, which retention has removed.
  static func forget(before base: Int, _ db: Database) throws {
    let last = try Int.fetchOne(db, sql: "SELECT max(number) FROM zone WHERE segment < ?", arguments: [base])
    guard let last else { return }
    let end = RequestPosition(zone: last + 1, request: 0).bits
    try db.execute(
      sql: "DELETE FROM posting WHERE id < ?", arguments: [posting(0, zone: last + 1)])
    try db.execute(sql: "DELETE FROM places WHERE zone <= ?", arguments: [last])
    try db.execute(sql: "DELETE FROM late WHERE position < ?", arguments: [end])
    try db.execute(sql: "DELETE FROM lateZone WHERE zone <= ?", arguments: [last])
    try db.execute(sql: "DELETE FROM unknown WHERE position < ?", arguments: [end])
    try db.execute(sql: "DELETE FROM zone WHERE number <= ?", arguments: [last])
  }

  /// The key of the row with the terms of one bucket of a zone. Those of a zone lie together, behind those of the zone
  /// before, so that few pages of the file change when one is written.
  static func posting(_ bucket: Int, zone: Int) -> Int { zone * TermLists.buckets + bucket }

  /// More than 2^40 sequence numbers fill.
  static let mostZones = 1 << 28

  /// That of a request no answer is known, or that one is.
  static func setUnknown(_ isUnknown: Bool, _ position: RequestPosition, _ sequence: Int, _ db: Database)
    throws
  {
    if isUnknown {
      try db.cachedStatement(sql: "INSERT OR IGNORE INTO unknown VALUES (?, ?)")
        .execute(arguments: [position.bits, sequence])
    } else {
      try db.cachedStatement(sql: "DELETE FROM unknown WHERE position = ?").execute(arguments: [position.bits]
      )
    }
  }

  /// - `zone`: where it begins, what its entries are relative to, and which numbers and times it has.
  /// - `places`: where the records of a zone's requests lie (`RequestEntry`).
  /// - `posting`: which requests of a zone have which terms (`TermLists`).
  /// - `late`: records about a request that its entry has no room for (`LateRecord`); `lateZone`: zones with some.
  /// - `unknown`: requests that were forwarded and of which no answer is known, with the number of the first record.
  /// - `state`: how far the journal is indexed (`IndexState`).
  private static let schema = """
    CREATE TABLE zone (
      number INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL, origin INTEGER NOT NULL,
      time INTEGER NOT NULL, least INTEGER NOT NULL, greatest INTEGER NOT NULL, earliest INTEGER NOT NULL,
      latest INTEGER NOT NULL);
    CREATE TABLE places (zone INTEGER PRIMARY KEY, entries BLOB NOT NULL);
    CREATE TABLE posting (id INTEGER PRIMARY KEY, lists BLOB NOT NULL);
    CREATE TABLE late (
      position INTEGER NOT NULL, isFinding INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
      length INTEGER NOT NULL, terms BLOB NOT NULL, isUnknown INTEGER, PRIMARY KEY (position, isFinding)) WITHOUT ROWID;
    CREATE TABLE lateZone (zone INTEGER PRIMARY KEY);
    CREATE TABLE unknown (position INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
    CREATE INDEX unknownBySequence ON unknown (sequence);
    CREATE TABLE state (
      id INTEGER PRIMARY KEY CHECK (id = 1), build INTEGER NOT NULL, base INTEGER NOT NULL, zone INTEGER NOT NULL,
      sequence INTEGER NOT NULL, digest TEXT NOT NULL, segment INTEGER, offset INTEGER, length INTEGER,
      unreadable INTEGER NOT NULL);
    """
}

/// Why the index cannot answer; the journal itself can.
package enum IndexFailure: Error, Sendable, Hashable {
  case unwritable(String)
  /// It is not this journal's, or no longer.
  case stale
}

extension DatabaseError {
  /// The file is no database, or not a sound one.
  var isDamage: Bool {
    [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_ERROR, .SQLITE_SCHEMA].contains(
      resultCode.primaryResultCode)
  }
}
