internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import Primitives

/// A request that may be one of those that are looked for.
struct FoundRequest {
  let position: RequestPosition
  let sequence: Int
  let first: RecordPlace
  var second: RecordPlace?
  var finding: RecordPlace?
}

/// Finds requests that have a term of each group, in order or backwards, some at a time.
///
/// It goes by zones: those that have the first group, which is the rarest, are asked for the others.
struct IndexSearch {
  enum Order {
    case oldestFirst, newestFirst

    func comes(_ left: Int, before right: Int) -> Bool { self == .oldestFirst ? left < right : left > right }
    func next(after zone: Int) -> Int { self == .oldestFirst ? zone + 1 : zone - 1 }
  }

  let filter: QueryFilter
  let groups: [[RecordTerm]]
  let order: Order
  let late: LateRecords
  /// The last request that was found before.
  let passed: RequestPosition?
  let count: Int
  private(set) var found: [FoundRequest] = []

  init(
    _ filter: QueryFilter, _ order: Order, late: LateRecords, after passed: RequestPosition?, count: Int,
    by hasher: TermHasher
  ) {
    self.filter = filter
    self.order = order
    self.late = late
    self.passed = passed
    self.count = count
    // What is unknown is little, and the other conditions are looked at there.
    groups = filter.isUnknown ? [] : filter.groups(by: hasher)
  }

  private var isEnough: Bool { found.count >= count }

  mutating func run(_ tail: borrowing JournalTail, _ db: Database) throws {
    if order == .newestFirst {
      searchTail(tail)
      if !isEnough { try searchFile(upTo: tail.state.zone, db) }
    } else {
      try searchFile(upTo: tail.state.zone, db)
      if !isEnough { searchTail(tail) }
    }
  }

  private mutating func searchTail(_ tail: borrowing JournalTail) {
    if order == .newestFirst {
      search(tail.filling)
      if !isEnough { search(tail.waiting) }
    } else {
      search(tail.waiting)
      if !isEnough { search(tail.filling) }
    }
  }

  private mutating func search(_ zone: borrowing ZoneBuilder) {
    guard !zone.isEmpty, isAhead(zone.number), mayHold(zone.times) else { return }
    var set = RequestSet(first: zone.entries.count)
    for group in groups {
      var union = RequestSet()
      for term in group { union.formUnion(zone.requests(with: term)) }
      set.formIntersection(union)
    }
    if filter.isUnknown {
      for request in zone.entries.indices where !zone.isUnknown(request) { set.remove(request) }
    }
    take(set, of: zone.number, zone.origin, zone.entries, zone.late)
  }

  private mutating func searchFile(upTo last: Int, _ db: Database) throws {
    guard let zones = try zones(upTo: last, db) else { return }
    if filter.isUnknown {
      try searchUnknown(zones, db)
    } else if groups.isEmpty {
      try searchAll(zones, db)
    } else {
      try searchTerms(zones, db)
    }
  }

  /// The zones with requests of the filter's times, from where the search stands.
  private func zones(upTo last: Int, _ db: Database) throws -> ClosedRange<Int>? {
    guard let least = try Int.fetchOne(db, sql: "SELECT min(number) FROM zone") else { return nil }
    var (first, last) = (least, last)
    if let since = filter.since {
      let zone = try Int.fetchOne(
        db, sql: "SELECT min(number) FROM zone WHERE latest >= ?", arguments: [since.nanoseconds])
      guard let zone else { return nil }
      first = max(first, zone)
    }
    if let until = filter.until {
      let zone = try Int.fetchOne(
        db, sql: "SELECT max(number) FROM zone WHERE earliest < ?", arguments: [until.nanoseconds])
      guard let zone else { return nil }
      last = min(last, zone)
    }
    if let passed {
      if order == .newestFirst { last = min(last, passed.zone) } else { first = max(first, passed.zone) }
    }
    return first <= last ? first...last : nil
  }

  private mutating func searchAll(_ zones: ClosedRange<Int>, _ db: Database) throws {
    var zone = order == .oldestFirst ? zones.lowerBound : zones.upperBound
    while zones.contains(zone), !isEnough {
      try take(nil, of: zone, db)
      zone = order.next(after: zone)
    }
  }

  private mutating func searchTerms(_ zones: ClosedRange<Int>, _ db: Database) throws {
    let rows = try groups.map { group in
      try group.map { (term: $0, rows: try PostingRows($0, zones, order, db)) }
    }
    var target = order == .oldestFirst ? zones.lowerBound : zones.upperBound
    var lateZones = (order == .oldestFirst ? late.zones : late.zones.reversed())[...]
    while !isEnough {
      // The next zone that may have the first group.
      for (_, rows) in rows[0] { try rows.advance(to: target) }
      lateZones = lateZones.drop { order.comes($0, before: target) }
      let candidates = rows[0].compactMap(\.rows.zone) + lateZones.prefix(1)
      guard let zone = order == .oldestFirst ? candidates.min() : candidates.max(), zones.contains(zone)
      else {
        return
      }
      let records = try late.records(ofZone: zone, db)
      var set = try requests(with: rows[0], in: zone, records)
      for group in rows.dropFirst() where !set.isEmpty {
        set.formIntersection(try requests(with: group, in: zone, records))
      }
      if !set.isEmpty { try take(set, of: zone, db) }
      target = order.next(after: zone)
    }
  }

  /// Those that have a term of a group.
  private func requests(
    with group: [(term: RecordTerm, rows: PostingRows)], in zone: Int,
    _ records: [(request: Int, record: LateRecord)]
  ) throws -> RequestSet {
    var set = RequestSet()
    for (term, rows) in group {
      try rows.advance(to: zone)
      if rows.zone == zone { try rows.add(term, to: &set) }
      for (request, record) in records where record.terms.contains(term) { set.insert(request) }
    }
    return set
  }

  private mutating func searchUnknown(_ zones: ClosedRange<Int>, _ db: Database) throws {
    let bounds = (
      RequestPosition(zone: zones.lowerBound, request: 0),
      RequestPosition(zone: zones.upperBound, request: 0xFFF)
    )
    let inTail = late.isUnknown.filter { $0.value.isUnknown && bounds.0 <= $0.key && $0.key <= bounds.1 }.keys
    let statement = try db.cachedStatement(
      sql: "SELECT position FROM unknown WHERE position BETWEEN ? AND ? ORDER BY position"
        + (order == .oldestFirst ? " LIMIT ?" : " DESC LIMIT ?"))
    // As many as are wanted, and as many as the passed one's zone may have of before.
    let cursor = try Int.fetchCursor(
      statement, arguments: [bounds.0.bits, bounds.1.bits, count + RequestSet.capacity])
    var positions = Array(inTail)
    while let bits = try cursor.next() { positions.append(RequestPosition(bits: bits)) }
    positions.sort { order.comes($0.bits, before: $1.bits) }
    while let zone = positions.first?.zone, !isEnough {
      var set = RequestSet()
      for position in positions.prefix(while: { $0.zone == zone }) { set.insert(position.request) }
      try take(set, of: zone, db)
      positions.removeAll { $0.zone == zone }
    }
  }
}

// Taking what was found.
extension IndexSearch {
  private func isAhead(_ zone: Int) -> Bool {
    guard let passed else { return true }
    return zone == passed.zone || order.comes(passed.zone, before: zone)
  }

  /// Whether requests of the filter's times may be among those of these times.
  private func mayHold(_ times: ClosedRange<Int64>) -> Bool {
    (filter.since.map { times.upperBound >= $0.nanoseconds } ?? true)
      && (filter.until.map { times.lowerBound < $0.nanoseconds } ?? true)
  }

  /// - Parameter set: `nil`: all.
  private mutating func take(_ set: RequestSet?, of number: Int, _ db: Database) throws {
    guard let zone = try ZoneRow.fetch(number, db), mayHold(zone.times) else { return }
    let entries = try zone.entries(db)
    take(
      set ?? RequestSet(first: entries.count), of: number, zone.origin, entries,
      try late.records(ofZone: number, db))
  }

  private mutating func take(
    _ set: RequestSet, of zone: Int, _ origin: ZoneOrigin, _ entries: borrowing ScratchArray<RequestEntry>,
    _ late: [(request: Int, record: LateRecord)]
  ) {
    let requests = set.requests
    for request in order == .oldestFirst ? requests : requests.reversed() where request < entries.count {
      let position = RequestPosition(zone: zone, request: request)
      if let passed, !order.comes(passed.bits, before: position.bits) { continue }
      let entry = entries[request]
      guard origin.mayInclude(entry, since: filter.since, until: filter.until),
        let first = origin.first(entry)
      else { continue }
      var request = FoundRequest(
        position: position, sequence: origin.sequence(entry), first: first, second: origin.second(entry))
      for (owner, record) in late where owner == position.request {
        if record.isFinding { request.finding = record.place } else { request.second = record.place }
      }
      found.append(request)
    }
  }
}
