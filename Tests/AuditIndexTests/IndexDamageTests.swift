import AuditStore
import AuditTrail
import GRDB
import Glibc
import Primitives
import Testing

@testable import AuditIndex

/// The index is no part of the journal: whatever somebody wrote into it, nothing ends and the journal answers.
@Suite struct IndexDamageTests {
  private static let statements = [
    "UPDATE state SET length = 9223372036854775807", "UPDATE state SET length = -1",
    "UPDATE state SET \"offset\" = 'x'", "UPDATE state SET digest = 17", "UPDATE state SET sequence = 'x'",
    "UPDATE request SET \"offset\" = 'x'", "UPDATE request SET length = -5",
    "UPDATE request SET length = 4000000000000", "UPDATE request SET time = 'x'",
    "UPDATE request SET segment = -9", "UPDATE request SET \"offset\" = 9223372036854775807",
    "UPDATE posting SET places = x'01'", "UPDATE posting SET places = 'text'",
  ]

  private func journal() throws -> WrittenJournal {
    let journal = try WrittenJournal()
    for number in 1...20 { try journal.only(number) }
    return journal
  }

  /// As `audit query` asks.
  private func found(in journal: WrittenJournal) throws -> Int {
    var found = 0
    _ = try JournalSource(directory: journal.path, notice: { _ in })
      .forEachRequest(matching: QueryFilter(), limit: nil) { _ in found += 1 }
    return found
  }

  @Test(arguments: statements) func whatStandsInItEndsNothing(_ statement: String) throws {
    let journal = try journal()
    #expect(try found(in: journal) == 20)
    let queue = try DatabaseQueue(path: "\(journal.path)/index.sqlite")
    try queue.write { try $0.execute(sql: statement) }
    try queue.close()
    #expect(try found(in: journal) == 20)
    // As the gateway's feeder does.
    #expect(throws: Never.self) { try JournalIndex(directory: journal.path).update() }
  }

  @Test func numberFarFromAllOthersIsNoRecord() throws {
    let journal = try journal()
    let forged = try JournalReader(directory: journal.path).firstRecord { _ in true }
    let line = try #require(forged).line
    let far = String(decoding: line, as: UTF8.self)
      .replacing("{\"sequence\":1,", with: "{\"sequence\":999999999999999999,")
    let file = open(journal.segmentPath, O_WRONLY | O_APPEND)
    _ = write(file, far + "\n", far.utf8.count + 1)
    close(file)
    let index = try JournalIndex(directory: journal.path)
    #expect(try index.update() == 1, "one line is no record")
    #expect(try index.lastSequence() == 20)
    var filter = QueryFilter()
    filter.tenant = "crm"
    var count = 0
    try index.forEachRequest(matching: filter, newestFirst: true) { _ in
      count += 1
      return true
    }
    #expect(count > 0)
  }
}
