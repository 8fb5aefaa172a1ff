internal import AuditStore
internal import Glibc
internal import GRDB

/// The SQLite file beside the segments. It can be deleted at any time; whatever is wrong with it, it is made anew.
struct IndexFile {
  static let name = "index.sqlite"
  /// Changes with the tables and with what they mean; a file of another format is made anew.
  private static let format = 2
  /// How long a writer waits for another; each holds the file for a fraction of a second.
  private static let patience = 2.0
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
    configuration.busyMode = .timeout(patience)
    configuration.prepareDatabase { db in
      // What a power cut takes is indexed again.
      try db.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32000")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.write { db in
      guard try Int.fetchOne(db, sql: "PRAGMA user_version") != format else { return }
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      for table in tables { try db.execute(sql: "DROP TABLE \"\(table)\"") }
      try db.execute(sql: schema)
      try db.execute(sql: "PRAGMA user_version = \(format)")
    }
    return queue
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

  /// - `request`: where the records of a request lie. `second` is its outcome, `finding` what `reconcile` found out.
  /// - `posting`: which requests have a term. In runs of zones, so that a growing index changes few pages.
  /// - `zone`: the times of the requests with sequence numbers of one zone.
  /// - `unknown`: requests that were forwarded and of which no answer is known.
  /// - `state`: how far the journal is indexed, with the digest of the last line as the proof that it is this journal.
  private static let schema = """
    CREATE TABLE request (
      sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL,
      segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
      secondSegment INTEGER, secondOffset INTEGER, secondLength INTEGER,
      findingSegment INTEGER, findingOffset INTEGER, findingLength INTEGER);
    CREATE TABLE posting (
      run INTEGER NOT NULL, term INTEGER NOT NULL, zone INTEGER NOT NULL, places BLOB NOT NULL,
      PRIMARY KEY (run, term, zone)) WITHOUT ROWID;
    CREATE TABLE zone (number INTEGER PRIMARY KEY, earliest INTEGER NOT NULL, latest INTEGER NOT NULL);
    CREATE TABLE unknown (sequence INTEGER PRIMARY KEY);
    CREATE TABLE state (
      id INTEGER PRIMARY KEY CHECK (id = 1), build INTEGER NOT NULL, base INTEGER NOT NULL,
      sequence INTEGER NOT NULL, digest TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
      length INTEGER NOT NULL, unreadable INTEGER NOT NULL);
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
