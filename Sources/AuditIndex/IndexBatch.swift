internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import Primitives

/// What some lines of the journal add to the index, gathered before it is written: in the order of the index's pages
/// that costs a fraction of what it would in the order of the journal.
struct IndexBatch {
  private struct Entry {
    var time: Int64
    var place: RecordPlace
    var second: RecordPlace?
    var finding: RecordPlace?
  }

  private struct Posting: Hashable, Comparable {
    var run: Int
    var term: IndexTerm
    var sequence: Int

    static func < (left: Self, right: Self) -> Bool {
      (left.run, left.term, left.sequence) < (right.run, right.term, right.sequence)
    }
  }

  /// Postings of so many sequence numbers (a power of two) lie together.
  static let runShift = 18
  /// The times of so many are summed up.
  static let zoneShift = 12

  /// By the sequence number of the first record.
  private var entries: [Int: Entry] = [:]
  private var intents: [Int: JournalRecord] = [:]
  /// Outcomes and findings of requests that are in the index already.
  private var outcomes: [Int: RecordPlace] = [:]
  private var findings: [Int: RecordPlace] = [:]
  private var postings: Set<Posting> = []
  private var facets: Set<Facet> = []
  private var unknown: [Int: Bool] = [:]
  private(set) var unreadable = 0
  private(set) var lines = 0
  private(set) var last: (sequence: Int, place: RecordPlace, line: [UInt8])?

  /// - Parameters:
  ///   - limit: the last record that is taken.
  ///   - intentOf: looks up an intent that is in the index already.
  /// - Returns: whether the line was taken.
  mutating func take(
    _ line: [UInt8], at place: RecordPlace, upTo limit: Int, intentOf: (Int) -> JournalRecord?
  ) -> Bool {
    let record = JournalRecord(line: line)
    if let record, record.sequence > limit { return false }
    lines += 1
    guard let record else {
      unreadable += 1
      return true
    }
    last = (record.sequence, place, line)
    add(record, at: place, intentOf)
    return true
  }

  private mutating func add(
    _ record: JournalRecord, at place: RecordPlace, _ intentOf: (Int) -> JournalRecord?
  ) {
    guard record.kind.isOfRequest else { return }
    if record.kind != .intent, let intent = record.integer("intent") {
      complete(intent, with: record, at: place, intentOf)
    } else {
      entries[record.sequence] = Entry(time: record.time.nanoseconds, place: place)
      let request = RequestHistory(first: record, second: nil)
      add(request, sequence: record.sequence)
      // An intent, or an only record of a request that was forwarded without one.
      guard request.isUnknown else { return }
      intents[record.sequence] = record
      unknown[record.sequence] = true
    }
  }

  private mutating func complete(
    _ intent: Int, with outcome: JournalRecord, at place: RecordPlace, _ intentOf: (Int) -> JournalRecord?
  ) {
    // Another record under that number is none that this one can belong to.
    guard let first = intents[intent] ?? intentOf(intent), first.requestId == outcome.requestId else {
      return
    }
    let isFinding = outcome.kind == .reconciled
    switch (entries[intent] != nil, isFinding) {
    case (true, false): entries[intent]?.second = place
    case (true, true): entries[intent]?.finding = place
    case (false, false): outcomes[intent] = place
    case (false, true): findings[intent] = place
    }
    let request = RequestHistory(
      first: first, second: isFinding ? nil : outcome, finding: isFinding ? outcome : nil)
    unknown[intent] = request.isUnknown
    add(request, sequence: intent)
  }

  private mutating func add(_ request: RequestHistory, sequence: Int) {
    let facet = Facet(request)
    facets.insert(facet)
    for term in request.terms.union([.facet(facet)]) {
      postings.insert(Posting(run: sequence >> Self.runShift, term: term, sequence: sequence))
    }
  }

  func write(_ db: Database) throws {
    try writeRequests(db)
    let insert = try db.cachedStatement(sql: "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)")
    for posting in postings.sorted() {
      try insert.execute(arguments: [posting.run, posting.term.bits, posting.sequence])
    }
    for facet in facets {
      try db.execute(
        sql: "INSERT OR IGNORE INTO facet VALUES (?, ?, ?, ?)",
        arguments: [
          IndexTerm.facet(facet).bits, facet.tenant?.string, facet.operation?.string, facet.decision?.string,
        ])
    }
    for (sequence, isUnknown) in unknown {
      let sql =
        isUnknown
        ? "INSERT OR IGNORE INTO unknown VALUES (?)" : "DELETE FROM unknown WHERE sequence = ?"
      // In this batch it began and ended: nothing to delete.
      if !isUnknown, entries[sequence] != nil { continue }
      try db.cachedStatement(sql: sql).execute(arguments: [sequence])
    }
  }

  private func writeRequests(_ db: Database) throws {
    let insert = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    var zones: [Int: (earliest: Int64, latest: Int64)] = [:]
    for (sequence, entry) in entries.sorted(by: { $0.key < $1.key }) {
      let (place, second, finding) = (entry.place, entry.second, entry.finding)
      try insert.execute(arguments: [
        sequence, entry.time, place.segment.firstSequence, place.offset, place.length,
        second?.segment.firstSequence, second?.offset, second?.length,
        finding?.segment.firstSequence, finding?.offset, finding?.length,
      ])
      let zone = zones[sequence >> Self.zoneShift] ?? (entry.time, entry.time)
      zones[sequence >> Self.zoneShift] = (min(zone.earliest, entry.time), max(zone.latest, entry.time))
    }
    for (column, places) in [("second", outcomes), ("finding", findings)] {
      let update = try db.cachedStatement(
        sql: """
          UPDATE request SET \(column)Segment = ?, \(column)Offset = ?, \(column)Length = ? WHERE sequence = ?
          """)
      for (sequence, place) in places {
        try update.execute(arguments: [place.segment.firstSequence, place.offset, place.length, sequence])
      }
    }
    for (number, zone) in zones {
      try db.execute(
        sql: """
          INSERT INTO zone VALUES (?, ?, ?) ON CONFLICT (number) DO UPDATE SET
            earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)
          """, arguments: [number, zone.earliest, zone.latest])
    }
  }
}
