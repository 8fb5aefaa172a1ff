import AuditStore
import AuditTrail
import Glibc
import Primitives
import Testing

@testable import AuditIndex

/// Records that somebody altered after they were indexed, and records that retention takes while they are looked for.
@Suite struct AlteredRecordTests {
  private func journal() throws -> WrittenJournal {
    let journal = try WrittenJournal()
    for number in 1...12 {
      try journal.intend(number)
      try journal.conclude(number, .created)
    }
    return journal
  }

  /// Replaces one text by another of the same length, in the line that has a third.
  private func alter(_ journal: WrittenJournal, of mark: String, _ old: String, to new: String) throws -> Int
  {
    var sequence = 0
    let lines = try text(of: journal).split(separator: "\n").map { line in
      guard sequence == 0, line.contains(mark), line.contains(old) else { return String(line) }
      sequence = RecordPrefix(Array(line.utf8).span.bytes)?.sequence ?? 0
      return String(line.replacing(old, with: new, maxReplacements: 1))
    }
    let file = open(journal.segmentPath, O_WRONLY | O_TRUNC)
    defer { close(file) }
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    try #require(write(file, bytes, bytes.count) == bytes.count)
    return sequence
  }

  private func text(of journal: WrittenJournal) throws -> String {
    var bytes: [UInt8] = []
    try JournalReader(directory: journal.path).forEachLine {
      bytes += $0 + [0x0A]
      return true
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func ask(_ index: JournalIndex, _ tenant: Text) throws -> (found: [RequestHistory], altered: [Int])
  {
    var filter = QueryFilter()
    filter.tenant = tenant
    var (found, altered): ([RequestHistory], [Int]) = ([], [])
    try index.forEachRequest(
      matching: filter, newestFirst: false, altered: { altered.append($0.doubtful?.sequence ?? 0) }
    ) {
      found.append($0)
      return true
    }
    return (found, altered)
  }

  @Test func recordThatWasMadeToLookLikeAnothersIsTold() throws {
    let journal = try journal()
    let index = try JournalIndex(directory: journal.path, linesPerZone: 4)
    try index.update()
    let before = try ask(index, "crm")
    let sequence = try alter(journal, of: "\"user-4\"", "\"tenant\":\"crm\"", to: "\"tenant\":\"abc\"")
    let after = try ask(index, "crm")
    #expect(before.altered.isEmpty && before.found.allSatisfy { $0.doubt == nil })
    #expect(after.altered == [sequence] && after.found.count == before.found.count - 1)
    #expect(after.found.allSatisfy { $0.doubt == nil })
  }

  @Test func eachRecordOfARequestIsLookedAt() throws {
    for (mark, old, new) in [
      ("\"user-4\"", "\"Name 4\"", "\"Nome 4\""), ("\"intent\":7", "\"status\":201", "\"status\":202"),
    ] {
      let journal = try journal()
      let index = try JournalIndex(directory: journal.path, linesPerZone: 4)
      try index.update()
      let sequence = try alter(journal, of: mark, old, to: new)
      let doubtful = try ask(index, "crm").found.filter { $0.doubt != nil }
      #expect(doubtful.map(\.doubt) == [.altered], "\(mark)")
      #expect(doubtful.first?.doubtful?.sequence == sequence, "\(mark)")
      #expect(
        doubtful.first.map { String(decoding: $0.json, as: UTF8.self).contains("\"integrity\":\"altered\"") }
          == true)
    }
  }

  @Test func whatRetentionTakesMeanwhileIsNotGivenAndNoFault() throws {
    let journal = try WrittenJournal()
    try journal.intend(1)
    journal.rotate()
    let second = journal.lastSequence + 1
    try journal.conclude(1, .created)
    try journal.only(2)
    journal.rotate()
    try journal.only(3)
    let index = try JournalIndex(directory: journal.path, linesPerZone: 2)
    try index.update()
    var found: [Text] = []
    try index.forEachRequest(matching: QueryFilter(), newestFirst: true) { request in
      // The last one was found; now the segments of the others go.
      journal.remove(1)
      journal.remove(second)
      found.append(request.text("appInstanceUserId") ?? "")
      return true
    }
    #expect(found.first == "user-3")
    #expect(Set(found).count == found.count)
    // Nothing of the index was thrown away for it.
    #expect(try index.update() == 0)
  }
}
