internal import AuditTrail
internal import GRDB
internal import Primitives

/// Finds the sequence numbers of requests that have a term of each group, in order or backwards, some at a time.
///
/// The groups' postings are in the same order, so the search leaps: whoever is behind is asked for the first at or
/// after the furthest, until all agree. What is rare makes the leaps long.
struct IndexSearch {
  enum Order { case oldestFirst, newestFirst }

  let groups: [[IndexTerm]]
  let order: Order
  /// The sequence numbers among which requests are looked for.
  let range: ClosedRange<Int>

  /// The next ones, at most `count`.
  func next(_ count: Int, _ db: Database) throws -> [Int] {
    if groups.isEmpty { return try inRange(count, db) }
    guard groups.allSatisfy({ !$0.isEmpty }) else { return [] }
    var found: [Int] = []
    let runs = Array((range.lowerBound >> IndexBatch.runShift)...(range.upperBound >> IndexBatch.runShift))
    for run in order == .oldestFirst ? runs : runs.reversed() {
      try search(run, &found, count, db)
      if found.count >= count { break }
    }
    return found
  }

  private func search(_ run: Int, _ found: inout [Int], _ count: Int, _ db: Database) throws {
    let unions = try groups.map { try PostingUnion(run: run, terms: $0, order, db) }
    var target = order == .oldestFirst ? range.lowerBound : -range.upperBound
    let end = order == .oldestFirst ? range.upperBound : -range.lowerBound
    while found.count < count {
      var reached = target
      for union in unions {
        guard let next = try union.first(from: reached), next <= end else { return }
        reached = next
      }
      if reached == target || unions.count == 1 {
        found.append(abs(reached))
        target = reached + 1
      } else {
        target = reached
      }
    }
  }

  private func inRange(_ count: Int, _ db: Database) throws -> [Int] {
    let sql = "SELECT sequence FROM request WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
    let statement = try db.cachedStatement(sql: sql + (order == .oldestFirst ? " LIMIT ?" : " DESC LIMIT ?"))
    return try Int.fetchAll(statement, arguments: [range.lowerBound, range.upperBound, count])
  }
}

/// The requests of a run that have one of some terms. Positions are sequence numbers, negative when searching
/// backwards, so that they always grow.
private final class PostingUnion {
  private let cursors: [PostingCursor]

  init(run: Int, terms: [IndexTerm], _ order: IndexSearch.Order, _ db: Database) throws {
    cursors = try terms.map { try PostingCursor(run: run, term: $0, order, db) }
  }

  func first(from target: Int) throws -> Int? {
    var first: Int?
    for cursor in cursors {
      guard let next = try cursor.first(from: target) else { continue }
      first = min(first ?? next, next)
    }
    return first
  }
}

private final class PostingCursor {
  private let statement: Statement
  private let run: Int
  private let term: IndexTerm
  private let sign: Int
  private var buffer: [Int] = []
  private var place = 0
  private var isAtEnd = false
  /// How many are read at a time: more while they are taken one after the other, few after a leap.
  private var block = fewest

  private static let fewest = 16
  private static let most = 4096

  init(run: Int, term: IndexTerm, _ order: IndexSearch.Order, _ db: Database) throws {
    self.run = run
    self.term = term
    sign = order == .oldestFirst ? 1 : -1
    let condition =
      order == .oldestFirst ? "sequence >= ? ORDER BY sequence" : "sequence <= ? ORDER BY sequence DESC"
    statement = try db.cachedStatement(
      sql: "SELECT sequence FROM posting WHERE run = ? AND term = ? AND \(condition) LIMIT ?")
  }

  func first(from target: Int) throws -> Int? {
    while true {
      while place < buffer.count, buffer[place] < target { place += 1 }
      if place < buffer.count { return buffer[place] }
      guard !isAtEnd else { return nil }
      let isNext = buffer.last.map { target <= $0 + block } ?? true
      block = isNext ? min(Self.most, 2 * block) : Self.fewest
      buffer = try Int.fetchAll(statement, arguments: [run, term.bits, target * sign, block]).map {
        $0 * sign
      }
      place = 0
      isAtEnd = buffer.count < block
    }
  }
}
