internal import AuditStore
package import AuditTrail
internal import GRDB
internal import Glibc
internal import OpenSSLCrypto
internal import Primitives

/// The index of a journal: which requests have what, and where their records lie. For one thread at a time; several
/// processes may use the same file.
package final class JournalIndex {
  private let directory: String
  private let lines: PlacedLines
  private(set) var file: IndexFile
  private let linesAtOnce: Int

  /// Opens the index in a journal's directory, or begins one.
  /// - Parameter linesAtOnce: how much is one transaction; little, because another process may wait for it.
  package init(directory: String, linesAtOnce: Int = 5000) throws {
    self.directory = directory
    self.linesAtOnce = linesAtOnce
    lines = try PlacedLines(directory: directory)
    file = try IndexFile(in: directory)
  }

  /// Deletes the index in a directory: it is made anew at the next use.
  package static func remove(in directory: String) { IndexFile.remove(in: directory) }

  /// Brings the index up to the journal's end as it is now.
  /// - Parameters:
  ///   - limit: the last record to be indexed.
  ///   - pause: called after each transaction that is not the last; whether to go on.
  /// - Returns: how many lines of the journal could not be read as records.
  @discardableResult
  package func update(upTo limit: Int = .max, pause: () -> Bool = { true }) throws -> Int {
    // A segment that is held open keeps its space on the disk after retention has removed it.
    defer { lines.closeAll() }
    do {
      return try updateOnce(limit, pause)
    } catch let error as DatabaseError where error.isDamage {
      IndexFile.remove(in: directory)
      file = try IndexFile(in: directory)
      return try updateOnce(limit, pause)
    }
  }

  private func updateOnce(_ limit: Int, _ pause: () -> Bool) throws -> Int {
    while true {
      if !file.isInPlace { file = try IndexFile(in: directory) }
      let (isAtEnd, unreadable) = try advance(limit)
      if isAtEnd || !pause() { return unreadable }
    }
  }

  /// One transaction's worth.
  private func advance(_ limit: Int) throws -> (isAtEnd: Bool, unreadable: Int) {
    var result = (isAtEnd: true, unreadable: 0)
    // Most often there is nothing to do, and then nobody is kept from writing.
    if let state = try file.queue.read({ try IndexState.read($0) }), try isCurrent(state, limit) {
      return (true, state.unreadable)
    }
    guard file.hasSpace else { throw IndexFailure.unwritable("the disk is almost full") }
    try file.queue.inTransaction(.immediate) { db in
      result = try advance(limit, db)
      return .commit
    }
    return result
  }

  private func isCurrent(_ state: IndexState, _ limit: Int) throws -> Bool {
    guard try state.holds(in: lines), try lines.segments().first?.firstSequence == state.base else {
      return false
    }
    guard state.sequence < limit else { return true }
    var hasMore = false
    _ = try lines.read(from: state.end) { _, _ in
      hasMore = true
      return false
    }
    return !hasMore
  }

  private func advance(_ limit: Int, _ db: Database) throws -> (isAtEnd: Bool, unreadable: Int) {
    var state = try IndexState.read(db)
    if let known = state, try !known.holds(in: lines) {
      try Self.clear(db)
      state = nil
    }
    let base = try lines.segments().first?.firstSequence ?? 1
    if let known = state, known.base < base { try Self.forget(before: base, db) }
    var batch = IndexBatch()
    var isAtEnd = true
    let intentOf = { [lines] (sequence: Int) -> JournalRecord? in
      guard let row = try? IndexRow.fetch(sequence, db) else { return nil }
      return (try? row.request(in: lines))??.first
    }
    _ = try lines.read(from: state?.end) { line, place in
      guard batch.lines < linesAtOnce else {
        isAtEnd = false
        return false
      }
      return batch.take(line, at: place, upTo: limit, intentOf: intentOf)
    }
    try batch.write(db)
    let unreadable = (state?.unreadable ?? 0) + batch.unreadable
    if let last = batch.last {
      let build = state?.build ?? Int64.random(in: 1...Int64.max)
      try IndexState(
        build: build, base: base, sequence: last.sequence, place: last.place,
        digest: SHA256.digest(last.line),
        unreadable: unreadable
      ).write(db)
    } else if var known = state {
      known.base = base
      try known.write(db)
    }
    return (isAtEnd, unreadable)
  }

  private static func clear(_ db: Database) throws {
    for table in ["request", "posting", "zone", "unknown", "state"] {
      try db.execute(sql: "DELETE FROM \(table)")
    }
  }

  /// Drops what retention has removed from the journal.
  private static func forget(before base: Int, _ db: Database) throws {
    try db.execute(sql: "DELETE FROM request WHERE sequence < ?", arguments: [base])
    try db.execute(sql: "DELETE FROM unknown WHERE sequence < ?", arguments: [base])
    // What is left of these in the run and the zone of `base` finds no request.
    try db.execute(
      sql: "DELETE FROM posting WHERE run < ?", arguments: [(base >> Zone.shift) >> Zone.runShift])
    try db.execute(sql: "DELETE FROM zone WHERE number < ?", arguments: [base >> Zone.shift])
  }

  /// How many requests up to the record with the number `last` were forwarded and have no known answer.
  package func unknownCount(upTo last: Int) throws -> Int {
    try file.queue.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM unknown WHERE sequence <= ?", arguments: [last]) ?? 0
    }
  }

  /// The last record that is indexed.
  package func lastSequence() throws -> Int {
    try file.queue.read { try IndexState.read($0)?.sequence ?? 0 }
  }
}

// Queries.
extension JournalIndex {
  /// Requests that are read at once; between two such chunks the index can be written.
  private static let rowsAtOnce = 256

  /// Calls `body` with each request that `filter` describes, in the order of their first records or from the last one
  /// back, until it returns `false`.
  package func forEachRequest(
    matching filter: QueryFilter, newestFirst: Bool, _ body: (RequestHistory) -> Bool
  ) throws {
    var build: Int64?
    var passed: Int?
    while true {
      let (rows, last) = try file.queue.read { db in
        let state = try IndexState.read(db)
        // A new index would go on somewhere else.
        guard build == nil || state?.build == build else { throw IndexFailure.stale }
        build = state?.build
        guard let state, let range = try Self.range(filter, state, after: passed, newestFirst, db) else {
          return ([IndexRow](), Int?.none)
        }
        let found = try Self.find(filter, in: range, newestFirst, db)
        return (try found.compactMap { try IndexRow.fetch($0, db) }, found.last)
      }
      guard let last else { return }
      passed = last
      for row in rows where filter.includes(row.time) {
        guard let request = try row.request(in: lines), filter.matches(request) else { continue }
        guard body(request) else { return }
      }
    }
  }

  private static func find(
    _ filter: QueryFilter, in range: ClosedRange<Int>, _ newestFirst: Bool, _ db: Database
  ) throws -> [Int] {
    if filter.isUnknown {
      let order = newestFirst ? "DESC" : "ASC"
      return try Int.fetchAll(
        db,
        sql: "SELECT sequence FROM unknown WHERE sequence BETWEEN ? AND ? ORDER BY sequence \(order) LIMIT ?",
        arguments: [range.lowerBound, range.upperBound, rowsAtOnce])
    }
    return try IndexSearch(
      groups: filter.groups, order: newestFirst ? .newestFirst : .oldestFirst, range: range
    ).next(rowsAtOnce, db)
  }

  /// The sequence numbers among which requests of the filter's times are, without those before or after `passed`.
  private static func range(
    _ filter: QueryFilter, _ state: IndexState, after passed: Int?, _ newestFirst: Bool, _ db: Database
  ) throws -> ClosedRange<Int>? {
    var (first, last) = (state.base, state.sequence)
    if let since = filter.since {
      let zone = try Int.fetchOne(
        db, sql: "SELECT min(number) FROM zone WHERE latest >= ?", arguments: [since.nanoseconds])
      guard let zone else { return nil }
      first = max(first, zone << Zone.shift)
    }
    if let until = filter.until {
      let zone = try Int.fetchOne(
        db, sql: "SELECT max(number) FROM zone WHERE earliest < ?", arguments: [until.nanoseconds])
      guard let zone else { return nil }
      last = min(last, (zone + 1) << Zone.shift - 1)
    }
    if let passed {
      if newestFirst { last = min(last, passed - 1) } else { first = max(first, passed + 1) }
    }
    return first <= last ? first...last : nil
  }
}

extension QueryFilter {
  fileprivate func includes(_ time: WallClockTime) -> Bool {
    (since.map { time >= $0 } ?? true) && (until.map { time < $0 } ?? true)
  }
}
