internal import AuditTrail
internal import GRDB
internal import Primitives

/// Finds the sequence numbers of requests that have a term of each group, in order or backwards, some at a time.
///
/// It goes by zones: whichever group is behind is asked for its first zone at or after the furthest, until all agree,
/// and then the zone's requests are compared. What is rare makes the leaps long.
struct IndexSearch {
  enum Order { case oldestFirst, newestFirst }

  let groups: [[IndexTerm]]
  let order: Order
  /// The sequence numbers among which requests are looked for.
  let range: ClosedRange<Int>

  /// The next ones, at most `count`.
  func next(_ count: Int, _ db: Database) throws -> [Int] {
    if groups.isEmpty { return try inRange(count, db) }
    var found: [Int] = []
    let zones = (range.lowerBound >> Zone.shift)...(range.upperBound >> Zone.shift)
    let runs = (zones.lowerBound >> Zone.runShift)...(zones.upperBound >> Zone.runShift)
    var run = order == .oldestFirst ? runs.lowerBound : runs.upperBound
    while runs.contains(run), found.count < count {
      try search(run, zones, &found, count, db)
      run += order == .oldestFirst ? 1 : -1
    }
    return Array(found.prefix(count))
  }

  private func search(
    _ run: Int, _ zones: ClosedRange<Int>, _ found: inout [Int], _ count: Int, _ db: Database
  ) throws {
    let unions = try groups.map { try PostingUnion(run: run, terms: $0, order, db) }
    var target = order == .oldestFirst ? zones.lowerBound : -zones.upperBound
    let end = order == .oldestFirst ? zones.upperBound : -zones.lowerBound
    while found.count < count {
      var reached = target
      for union in unions {
        guard let next = try union.firstZone(from: reached), next <= end else { return }
        reached = next
      }
      // Further than the first ones were asked for: they have to follow.
      guard reached == target || unions.count == 1 else {
        target = reached
        continue
      }
      found += sequences(of: unions)
      target = reached + 1
    }
  }

  /// What all have in the zone where they are.
  private func sequences(of unions: [PostingUnion]) -> [Int] {
    var common = unions[0].sequences
    for union in unions.dropFirst() where !common.isEmpty {
      let others = Set(union.sequences)
      common.removeAll { !others.contains($0) }
    }
    common.removeAll { !range.contains($0) }
    return order == .oldestFirst ? common : common.reversed()
  }

  private func inRange(_ count: Int, _ db: Database) throws -> [Int] {
    let sql = "SELECT sequence FROM request WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
    let statement = try db.cachedStatement(sql: sql + (order == .oldestFirst ? " LIMIT ?" : " DESC LIMIT ?"))
    return try Int.fetchAll(statement, arguments: [range.lowerBound, range.upperBound, count])
  }
}

/// The requests of a run that have one of some terms. Positions are numbers of zones, negative when searching
/// backwards, so that they always grow.
private final class PostingUnion {
  private let cursors: [PostingCursor]
  private var zone: Int?

  init(run: Int, terms: [IndexTerm], _ order: IndexSearch.Order, _ db: Database) throws {
    cursors = try terms.map { try PostingCursor(run: run, term: $0, order, db) }
  }

  /// Moves on to the first zone at or after `target` that has some.
  func firstZone(from target: Int) throws -> Int? {
    zone = nil
    for cursor in cursors {
      guard let next = try cursor.firstZone(from: target) else { continue }
      zone = min(zone ?? next, next)
    }
    return zone
  }

  /// Those of the zone, in order.
  var sequences: [Int] {
    let lists = cursors.compactMap { $0.zone == zone ? $0.sequences : nil }
    return lists.count == 1 ? lists[0] : Set(lists.joined()).sorted()
  }
}

private final class PostingCursor {
  private typealias ZoneRow = (zone: Int, places: [UInt8])

  private let statement: Statement
  private let run: Int
  private let term: IndexTerm
  private let sign: Int
  private var buffer: [ZoneRow] = []
  private var place = 0
  private var isAtEnd = false
  /// How many are read at a time: more while they are taken one after the other, few after a leap.
  private var block = fewest

  private static let fewest = 1
  private static let most = 64

  init(run: Int, term: IndexTerm, _ order: IndexSearch.Order, _ db: Database) throws {
    self.run = run
    self.term = term
    sign = order == .oldestFirst ? 1 : -1
    let condition = order == .oldestFirst ? "zone >= ? ORDER BY zone" : "zone <= ? ORDER BY zone DESC"
    statement = try db.cachedStatement(
      sql: "SELECT zone, places FROM posting WHERE run = ? AND term = ? AND \(condition) LIMIT ?")
  }

  /// Where it is.
  var zone: Int? { place < buffer.count ? buffer[place].zone : nil }

  /// Those of the zone where it is, in order.
  var sequences: [Int] { Zone.decode(buffer[place].places, of: buffer[place].zone * sign) }

  func firstZone(from target: Int) throws -> Int? {
    while true {
      while place < buffer.count, buffer[place].zone < target { place += 1 }
      if let zone { return zone }
      guard !isAtEnd else { return nil }
      let isNext = buffer.last.map { target <= $0.zone + block } ?? true
      block = isNext ? min(Self.most, 2 * block) : Self.fewest
      buffer = try read(block, from: target)
      place = 0
      isAtEnd = buffer.count < block
    }
  }

  private func read(_ count: Int, from target: Int) throws -> [ZoneRow] {
    let rows = try Row.fetchCursor(statement, arguments: [run, term.bits, target * sign, count])
    var read: [ZoneRow] = []
    while let row = try rows.next() {
      let places = try row.withUnsafeData(atIndex: 1) { $0.map { [UInt8]($0) } ?? [] }
      read.append((zone: row[0] * sign, places: places))
    }
    return read
  }
}
