import AuditTrail
import GRDB
import Synchronization
import Testing

@testable import AuditIndex

/// No query looks at every request of the journal.
@Suite struct QueryPlanTests {
  private final class Statements: Sendable {
    let seen = Mutex<Set<String>>([])
  }

  /// They have a row for 4096 records at most.
  private static let small = ["zone", "lateZone"]

  @Test func everyStatementSearches() throws {
    let journal = try WrittenJournal()
    for number in 1...30 { try journal.intend(number) }
    for number in 1...20 { try journal.conclude(number, .created) }
    let index = try JournalIndex(directory: journal.path, linesPerZone: 7)
    try index.update()
    let statements = Statements()
    index.file.queue.inDatabase { db in
      db.trace { event in
        if case .statement(let statement) = event {
          _ = statements.seen.withLock { $0.insert(statement.expandedSQL) }
        }
      }
    }
    // One more of each kind: an update of what is there, and what comes new.
    try journal.conclude(21, .created)
    for number in 40...60 { try journal.only(number) }
    try index.update()
    for newestFirst in [true, false] {
      for filter in JournalIndexTests.everyFilter {
        try index.forEachRequest(matching: filter, newestFirst: newestFirst) { _ in true }
      }
    }
    _ = try index.unknownCount(upTo: 30)
    index.file.queue.inDatabase { $0.trace(nil) }

    let all = statements.seen.withLock { $0 }
    var plans = 0
    for sql in all where ["SELECT", "UPDATE", "DELETE"].contains(String(sql.prefix(6))) {
      let steps = try index.file.queue.read { db in
        try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
      }
      plans += steps.isEmpty ? 0 : 1
      for step in steps where step.hasPrefix("SCAN") {
        #expect(Self.small.contains { step.hasPrefix("SCAN \($0)") }, "\(sql): \(step)")
      }
    }
    #expect(plans > 20, "\(all)")
  }
}
