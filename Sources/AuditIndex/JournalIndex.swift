internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import OpenSSLCrypto
internal import Primitives

/// The index of a journal: which requests have what, and where their records lie. For one thread at a time; several
/// processes may use the same file.
///
/// The file holds the journal in whole zones (`ZoneBuilder`); what stands behind them, some thousand lines at most, is
/// kept in memory (`JournalTail`).
package final class JournalIndex {
  private let directory: String
  let lines: PlacedLines
  private(set) var file: IndexFile
  private let linesPerZone: Int
  /// `nil` before the first update and when another process went on with the file.
  private var tail: JournalTail?

  /// Opens the index in a journal's directory, or begins one.
  package convenience init(directory: String) throws {
    try self.init(directory: directory, linesPerZone: RequestSet.capacity)
  }

  /// - Parameter linesPerZone: how much is written at a time, at most 4096.
  init(directory: String, linesPerZone: Int) throws {
    self.directory = directory
    self.linesPerZone = linesPerZone
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
      tail = nil
      return try updateOnce(limit, pause)
    }
  }

  private func updateOnce(_ limit: Int, _ pause: () -> Bool) throws -> Int {
    if !file.isInPlace {
      file = try IndexFile(in: directory)
      tail = nil
    }
    var state = try currentState()
    while true {
      // Whatever is thrown on the way, the next update begins with what the file says.
      var tail = takeTail(after: state)
      let isAtEnd = try read(into: &tail, upTo: limit)
      guard !isAtEnd || tail.hasCompleteZone else {
        let unreadable = tail.unreadable
        self.tail = consume tail
        return unreadable
      }
      state = try writeZone(of: &tail)
      let unreadable = tail.unreadable
      self.tail = consume tail
      guard pause() else { return unreadable }
    }
  }

  /// What was read already, when it goes on where the file ends.
  private func takeTail(after state: IndexState) -> JournalTail {
    if let known = tail.take(), known.state == state { return known }
    return JournalTail(after: state, linesPerZone: linesPerZone)
  }

  /// - Returns: whether the end or the limit was reached; if not, a zone must be written first.
  private func read(into tail: inout JournalTail, upTo limit: Int) throws(FileFault) -> Bool {
    var isAtEnd = true
    try lines.read(from: tail.end) { line, place in
      switch tail.take(line, at: place, upTo: limit) {
      case .taken: return true
      case .beyondLimit: return false
      case .mustWrite:
        isAtEnd = false
        return false
      }
    }
    return isAtEnd
  }

  /// What the file says, after whatever is not this journal's, or is no longer kept, was dropped from it.
  private func currentState() throws -> IndexState {
    let base = try lines.segments().first?.firstSequence ?? 1
    if let state = try file.queue.read({ try IndexState.read($0) }), state.base == base || state.zone == 0,
      try state.holds(in: lines)
    {
      return state
    }
    var current: IndexState?
    try write { db in
      var state: IndexState
      if let known = try IndexState.read(db), try known.holds(in: lines) {
        state = known
      } else {
        state = try IndexFile.begin(db)
      }
      if state.base < base { try IndexFile.forget(before: base, db) }
      state.base = base
      try state.write(db)
      current = state
    }
    guard let current else { throw IndexFailure.stale }
    return current
  }

  /// Writes the zone that waits, unless another process has gone on meanwhile: then that is where to go on.
  /// - Returns: what the file holds then.
  private func writeZone(of tail: inout JournalTail) throws -> IndexState {
    var written = tail.state
    var zone = tail.takeWaiting()
    var isStale = false
    try write { db in
      guard let known = try IndexState.read(db), known == tail.state else {
        isStale = true
        return
      }
      guard let line = try lines.line(at: zone.last) else { throw IndexFailure.stale }
      try zone.write(db)
      for stray in zone.strays {
        guard let position = try stray.find(in: lines, db) else { continue }
        try stray.record.write(of: position, db)
        if let isUnknown = stray.record.isUnknown {
          try IndexFile.setUnknown(isUnknown, position, stray.intent, db)
        }
      }
      written.zone = zone.number
      written.sequence = zone.lastSequence
      written.last = (zone.last, SHA256.digest(line))
      written.unreadable += zone.unreadable
      try written.write(db)
    }
    guard !isStale else { return try currentState() }
    tail.finishWriting(written)
    return written
  }

  private func write(_ updates: (Database) throws -> Void) throws {
    guard file.hasSpace else { throw IndexFailure.unwritable("the disk is almost full") }
    try file.queue.inTransaction(.immediate) { db in
      try updates(db)
      return .commit
    }
  }
}

extension JournalIndex {
  /// How many requests up to the record with the number `last` were forwarded and have no known answer.
  package func unknownCount(upTo last: Int) throws -> Int {
    try file.queue.read { db in
      var count =
        try Int.fetchOne(db, sql: "SELECT count(*) FROM unknown WHERE sequence <= ?", arguments: [last]) ?? 0
      count += tail?.unknownCount(upTo: last) ?? 0
      // What the tail says of requests in the file.
      for (position, isUnknown) in try tail?.lateRecords(in: lines, db).isUnknown ?? [:] {
        let sequence = try Int.fetchOne(
          db, sql: "SELECT sequence FROM unknown WHERE position = ?", arguments: [position.bits])
        if let sequence, sequence <= last, !isUnknown.isUnknown { count -= 1 }
        if sequence == nil, isUnknown.sequence <= last, isUnknown.isUnknown { count += 1 }
      }
      return count
    }
  }

  /// The last record that an update has read.
  package var lastSequence: Int { tail?.lastSequence ?? 0 }

  /// The late records of the file, with what the tail says of requests there.
  func lateRecords(_ db: Database) throws -> LateRecords {
    guard let records = try tail?.lateRecords(in: lines, db) else { throw IndexFailure.stale }
    return records
  }

  /// One chunk of a query.
  func search(
    _ filter: QueryFilter, _ order: IndexSearch.Order, _ late: LateRecords, after passed: RequestPosition?,
    _ count: Int, _ db: Database
  ) throws -> IndexSearch {
    switch tail {
    case .some(let tail):
      // A new index would go on somewhere else.
      guard try IndexState.read(db)?.build == tail.state.build else { throw IndexFailure.stale }
      var search = IndexSearch(filter, order, late: late, after: passed, count: count, by: tail.hasher)
      try search.run(tail, db)
      return search
    case .none: throw IndexFailure.stale
    }
  }
}
