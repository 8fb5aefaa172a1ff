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

  private struct Posting: Comparable {
    var run: Int
    var term: IndexTerm
    var sequence: Int

    /// As they lie in the index.
    static func < (left: Self, right: Self) -> Bool {
      (left.run, left.term, left.sequence) < (right.run, right.term, right.sequence)
    }
  }

  private static let widestGap = 1 << 20

  /// By the sequence number of the first record.
  private var entries: [Int: Entry] = [:]
  private var intents: [Int: JournalRecord] = [:]
  /// Outcomes and findings of requests that are in the index already.
  private var outcomes: [Int: RecordPlace] = [:]
  private var findings: [Int: RecordPlace] = [:]
  private var postings: [Posting] = []
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
    guard let record, isNear(record.sequence, at: place) else {
      unreadable += 1
      return true
    }
    last = (record.sequence, place, line)
    add(record, at: place, intentOf)
    return true
  }

  /// A journal out of order can be asked all the same, but a number far from all others would have every query look
  /// through what is between.
  private func isNear(_ sequence: Int, at place: RecordPlace) -> Bool {
    let last = last?.sequence ?? place.segment.firstSequence
    let (distance, isTooFar) = sequence.subtractingReportingOverflow(last)
    return !isTooFar && distance.magnitude <= Self.widestGap
  }

  private mutating func add(
    _ record: JournalRecord, at place: RecordPlace, _ intentOf: (Int) -> JournalRecord?
  ) {
    guard record.kind.isOfRequest else { return }
    if record.kind != .intent, let intent = record.integer("intent") {
      complete(intent, with: record, at: place, intentOf)
    } else {
      entries[record.sequence] = Entry(time: record.time.nanoseconds, place: place)
      add(record, sequence: record.sequence)
      // An intent, or an only record of a request that was forwarded without one.
      guard RequestHistory(first: record, second: nil).isUnknown else { return }
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
    // What the first record tells is in the index already.
    add(outcome, sequence: intent)
  }

  private mutating func add(_ record: JournalRecord, sequence: Int) {
    let run = (sequence >> Zone.shift) >> Zone.runShift
    for term in record.terms { postings.append(Posting(run: run, term: term, sequence: sequence)) }
  }

  func write(_ db: Database) throws {
    try writeRequests(db)
    try writePostings(db)
    for (sequence, isUnknown) in unknown {
      let sql =
        isUnknown
        ? "INSERT OR IGNORE INTO unknown VALUES (?)" : "DELETE FROM unknown WHERE sequence = ?"
      // In this batch it began and ended: nothing to delete.
      if !isUnknown, entries[sequence] != nil { continue }
      try db.cachedStatement(sql: sql).execute(arguments: [sequence])
    }
  }

  /// Those of one term in one zone are one row.
  private func writePostings(_ db: Database) throws {
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO posting VALUES (?, ?, ?, ?) ON CONFLICT (run, term, zone) DO UPDATE SET
          places = CAST(places || excluded.places AS BLOB)
        """)
    var rest = postings.sorted()[...]
    while let first = rest.first {
      let zone = first.sequence >> Zone.shift
      let end =
        rest.firstIndex { $0.term != first.term || $0.sequence >> Zone.shift != zone } ?? rest.endIndex
      let places = Zone.encode(rest[..<end].lazy.map(\.sequence))
      try insert.execute(arguments: [first.run, first.term.bits, zone, places])
      rest = rest[end...]
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
      let zone = zones[sequence >> Zone.shift] ?? (entry.time, entry.time)
      zones[sequence >> Zone.shift] = (min(zone.earliest, entry.time), max(zone.latest, entry.time))
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
