internal import AuditTrail
internal import Foundation
internal import GRDB
internal import Primitives

/// Goes through the rows of one bucket, zone by zone, in the order of a search.
final class PostingRows {
  private let statement: Statement
  private let order: IndexSearch.Order
  private let zones: ClosedRange<Int>
  private var cursor: RowCursor?
  private var row: Row?
  /// Of the row at hand; `nil` at the end.
  private(set) var zone: Int?
  /// Rows that are stepped over rather than looked for.
  private static let fewSteps = 8

  /// - Parameter zones: those of the file that are searched.
  init(_ term: RecordTerm, _ zones: ClosedRange<Int>, _ order: IndexSearch.Order, _ db: Database) throws {
    let bucket = TermLists.bucket(of: term)
    self.order = order
    self.zones = zones
    statement = try db.makeStatement(
      sql: """
        SELECT number, lists FROM zone CROSS JOIN posting ON id = number * \(TermLists.buckets) + \(bucket)
        WHERE number BETWEEN ? AND ? ORDER BY number\(order == .oldestFirst ? "" : " DESC")
        """)
    try find(order == .oldestFirst ? zones.lowerBound : zones.upperBound)
  }

  /// Goes on to the first row at the zone or beyond it.
  func advance(to target: Int) throws {
    var steps = 0
    while let zone, order.comes(zone, before: target) {
      steps += 1
      if steps > Self.fewSteps {
        try find(target)
        return
      }
      try step()
    }
  }

  /// Adds the requests of the row at hand that have the term.
  func add(_ term: RecordTerm, to set: inout RequestSet) throws {
    let isSound = try row?.withUnsafeData(atIndex: 1) { data in
      data?.withUnsafeBytes { TermLists.add(term, in: $0.bytes, to: &set) } ?? false
    }
    guard isSound == true else { throw IndexFailure.stale }
  }

  private func find(_ target: Int) throws {
    let range =
      order == .oldestFirst ? target...max(target, zones.upperBound) : min(target, zones.lowerBound)...target
    cursor = try Row.fetchCursor(statement, arguments: [range.lowerBound, range.upperBound])
    try step()
  }

  private func step() throws {
    row = try cursor?.next()
    guard let row else {
      zone = nil
      return
    }
    guard let number = row.integer(0) else { throw IndexFailure.stale }
    zone = number
  }
}
