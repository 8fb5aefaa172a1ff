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
    "UPDATE state SET zone = -1", "UPDATE state SET zone = 9223372036854775807", "UPDATE state SET zone = 2",
    "DELETE FROM state", "UPDATE state SET unreadable = 'x'",
    "UPDATE zone SET \"offset\" = 'x'", "UPDATE zone SET segment = -9",
    "UPDATE zone SET origin = 9223372036854775807",
    "UPDATE zone SET \"offset\" = 9223372036854775807", "UPDATE zone SET time = 'x'",
    "UPDATE zone SET latest = -5",
    "DELETE FROM zone WHERE number = 2", "DELETE FROM zone", "UPDATE places SET entries = x'01'",
    "UPDATE places SET entries = 'text'", "UPDATE places SET entries = zeroblob(240)",
    "UPDATE places SET entries = zeroblob(2400000)", "DELETE FROM places", "UPDATE posting SET lists = x'01'",
    "UPDATE posting SET lists = 'text'", "UPDATE posting SET lists = x'ffffffff00000000'",
    "UPDATE posting SET lists = x'01000000ffffffff'", "UPDATE posting SET lists = 17",
    "UPDATE posting SET id = -id",
    "UPDATE late SET segment = -1", "UPDATE late SET terms = 17", "UPDATE late SET \"offset\" = 'x'",
    "INSERT INTO late VALUES (4096, 0, 1, 5, 5, x'', 0)", "INSERT INTO lateZone VALUES (77)",
    "INSERT INTO unknown VALUES (8191, 1)", "DROP TABLE posting", "DROP TABLE state",
  ]

  /// Those after which the index is as sound as before, and says something else.
  private static let believed: Set<String> = [
    "UPDATE state SET zone = 2", "DELETE FROM zone WHERE number = 2", "DELETE FROM zone",
    "DELETE FROM places",
    "UPDATE posting SET id = -id", "UPDATE zone SET latest = -5",
  ]

  private func journal() throws -> WrittenJournal {
    let journal = try WrittenJournal()
    for number in 1...10 { try journal.only(number) }
    for number in 11...20 { try journal.intend(number) }
    for number in 30...40 { try journal.only(number) }
    for number in [11, 14, 20] { try journal.conclude(number, .created) }
    try journal.only(41)
    return journal
  }

  /// As `audit query` asks.
  private func found(in journal: WrittenJournal, _ filter: QueryFilter = QueryFilter(), limit: Int? = nil)
    throws -> Int
  {
    var found = 0
    _ = try JournalSource(directory: journal.path, notice: { _ in })
      .forEachRequest(matching: filter, limit: limit) { _ in found += 1 }
    return found
  }

  @Test(arguments: statements) func whatStandsInItEndsNothing(_ statement: String) throws {
    var tenant = QueryFilter()
    tenant.tenant = "crm"
    var unknown = QueryFilter()
    unknown.isUnknown = true
    for filter in [QueryFilter(), tenant, unknown] {
      let journal = try journal()
      var expected = 0
      try JournalReader(directory: journal.path).forEachRequest { expected += filter.matches($0) ? 1 : 0 }
      // Most of it in the file.
      try JournalIndex(directory: journal.path, linesPerZone: 4).update()
      #expect(try found(in: journal, filter) == expected)
      let queue = try DatabaseQueue(path: "\(journal.path)/index.sqlite")
      try queue.write { try $0.execute(sql: statement) }
      try queue.close()
      // Whatever is found is so; what is missing can only be missing because the index was believed.
      let count = try found(in: journal, filter)
      #expect(Self.believed.contains(statement) ? count <= expected : count == expected)
      #expect(try found(in: journal, filter, limit: 5) <= 5)
      // As the gateway's feeder does.
      #expect(throws: Never.self) { try JournalIndex(directory: journal.path).update() }
    }
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
    #expect(index.lastSequence == 35)
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
