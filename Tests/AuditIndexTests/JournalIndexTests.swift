import AuditStore
import AuditTrail
import Glibc
import Primitives
import Testing

@testable import AuditIndex

/// What the index finds is what reading the whole journal finds.
@Suite struct JournalIndexTests {
  private static let filters: [(String, @Sendable (inout QueryFilter) -> Void)] = [
    ("all", { _ in }), ("user", { $0.userId = "user-7" }),
    ("arn", { $0.userArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/user-12" }),
    ("tenant", { $0.tenant = "hr" }), ("actor", { $0.actor = "alice" }),
    ("key", { $0.accessKeyId = "GHAK3" }), ("operation", { $0.operation = "ListAppInstances" }),
    ("decision", { $0.decision = .denied }), ("refused", { $0.decision = .refused }),
    ("name", { $0.name = "Name 4" }), ("tag", { $0.tags = [("Team", "team-2")] }),
    ("two tags", { $0.tags = [("Team", "team-2"), ("Team", "team-3")] }),
    ("unknown", { $0.isUnknown = true }), ("nobody", { $0.tenant = "nobody" }),
    (
      "several",
      {
        $0.tenant = "crm"
        $0.actor = "alice"
        $0.operation = "CreateAppInstanceUser"
      }
    ),
    (
      "times",
      {
        $0.since = WrittenJournal.time(40)
        $0.until = WrittenJournal.time(90)
        $0.tenant = "crm"
      }
    ),
    ("none so late", { $0.since = WrittenJournal.time(100_000) }),
    ("none so early", { $0.until = WrittenJournal.time(-5) }),
  ]

  static var everyFilter: [QueryFilter] {
    filters.map { _, change in
      var filter = QueryFilter()
      change(&filter)
      return filter
    }
  }

  /// Requests of each kind: answered, denied, refused after their intent, without outcome, found out later.
  private func journal(_ count: Int = 120) throws -> WrittenJournal {
    let journal = try WrittenJournal()
    for number in 1...count {
      if number % 11 == 0 {
        // Forwarded without an intent, as `onFailure: continue` allows.
        try journal.only(number, number % 22 == 0 ? .unknown : .notForwarded)
      } else {
        try journal.intend(number)
        switch number % 13 {
        case 0: break
        case 1: try journal.conclude(number, .unknown)
        case 2: try journal.conclude(number, .notForwarded, .refused)
        default: try journal.conclude(number, .created)
        }
      }
      if number == count / 2 { journal.rotate() }
    }
    return journal
  }

  private func scanned(_ journal: WrittenJournal, _ filter: QueryFilter) throws -> [String] {
    var found: [String] = []
    try JournalReader(directory: journal.path).forEachRequest { request in
      if filter.matches(request) { found.append(String(decoding: request.json, as: UTF8.self)) }
    }
    return found
  }

  private func indexed(
    _ journal: WrittenJournal, _ filter: QueryFilter, newestFirst: Bool = false, linesPerZone: Int = 16
  ) throws -> [String] {
    let index = try JournalIndex(directory: journal.path, linesPerZone: linesPerZone)
    try index.update()
    var found: [String] = []
    try index.forEachRequest(matching: filter, newestFirst: newestFirst) { request in
      found.append(String(decoding: request.json, as: UTF8.self))
      return true
    }
    return found
  }

  @Test(arguments: filters.indices) func indexFindsWhatAScanFinds(_ number: Int) throws {
    let journal = try journal()
    var filter = QueryFilter()
    Self.filters[number].1(&filter)
    let expected = try scanned(journal, filter)
    // All of it in the tail, then most of it in the file.
    for linesPerZone in [4096, 16] {
      #expect(
        try indexed(journal, filter, linesPerZone: linesPerZone) == expected, "\(Self.filters[number].0)")
      #expect(
        try indexed(journal, filter, newestFirst: true, linesPerZone: linesPerZone) == expected.reversed())
    }
  }

  @Test func manyMatchesComeInSeveralChunks() throws {
    let journal = try journal(700)
    var filter = QueryFilter()
    filter.tenant = "crm"
    #expect(try scanned(journal, filter).count > 400)
    #expect(try indexed(journal, filter) == scanned(journal, filter))
    #expect(
      try indexed(journal, QueryFilter(), newestFirst: true) == scanned(journal, QueryFilter()).reversed())
  }

  @Test func indexFollowsTheJournal() throws {
    let journal = try journal()
    _ = try indexed(journal, QueryFilter())
    // The outcome of an intent that is in the index already, with another decision.
    try journal.conclude(13, .notForwarded, .throttled)
    try journal.conclude(14, .created)
    try journal.only(500)
    var throttled = QueryFilter()
    throttled.decision = .throttled
    #expect(try indexed(journal, throttled).count == 1)
    var unknown = QueryFilter()
    unknown.isUnknown = true
    #expect(try indexed(journal, unknown) == scanned(journal, unknown))
  }

  /// Outcomes that come when the zones of their intents have been written.
  @Test func lateOutcomesBelongToTheirRequests() throws {
    let journal = try WrittenJournal()
    for number in 1...60 { try journal.intend(number) }
    let index = try JournalIndex(directory: journal.path, linesPerZone: 7)
    try index.update()
    for number in [40, 3, 59, 21] { try journal.conclude(number, .notForwarded, .throttled) }
    for number in 61...70 { try journal.only(number) }
    try index.update()
    for filter in Self.everyFilter {
      #expect(try indexed(journal, filter) == scanned(journal, filter))
    }
    var throttled = QueryFilter()
    throttled.decision = .throttled
    #expect(try indexed(journal, throttled).count == 4)
  }

  @Test func indexOfAnotherJournalIsMadeAnew() throws {
    let journal = try journal()
    _ = try indexed(journal, QueryFilter())
    let other = try WrittenJournal()
    try other.only(1)
    try other.only(2)
    for suffix in ["", "-wal", "-shm"] {
      rename("\(journal.path)/index.sqlite\(suffix)", "\(other.path)/index.sqlite\(suffix)")
    }
    #expect(try indexed(other, QueryFilter()) == scanned(other, QueryFilter()))
    #expect(try indexed(other, QueryFilter()).count == 2)
  }

  @Test func cutJournalIsIndexedAnew() throws {
    let journal = try journal()
    _ = try indexed(journal, QueryFilter())
    let length = try #require(size(of: journal.segmentPath))
    truncate(journal.segmentPath, off_t(length / 2))
    #expect(try indexed(journal, QueryFilter()) == scanned(journal, QueryFilter()))
  }

  @Test func expiredSegmentsAreForgotten() throws {
    let journal = try journal()
    let before = try indexed(journal, QueryFilter()).count
    journal.remove(1)
    let after = try indexed(journal, QueryFilter())
    #expect(after.count < before && !after.isEmpty)
    #expect(try after == scanned(journal, QueryFilter()))
  }

  @Test func brokenFileIsReplaced() throws {
    let journal = try journal()
    for garbage in ["no database at all, whatever its name says", ""] {
      let file = open("\(journal.path)/index.sqlite", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      _ = write(file, garbage, garbage.utf8.count)
      close(file)
      #expect(try indexed(journal, QueryFilter()) == scanned(journal, QueryFilter()))
    }
  }

  @Test func fileIsItsOwnersAlone() throws {
    let journal = try journal()
    _ = try indexed(journal, QueryFilter())
    var status = stat()
    #expect(stat("\(journal.path)/index.sqlite", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test func latestAreAskedForByLimit() throws {
    let journal = try journal()
    let all = try scanned(journal, QueryFilter())
    var found: [String] = []
    _ = try JournalSource(directory: journal.path, notice: { _ in }).forEachRequest(
      matching: QueryFilter(), limit: 7
    ) { found.append(String(decoding: $0.json, as: UTF8.self)) }
    #expect(found == all.suffix(7))
  }

  @Test func journalIsReadWithoutAnIndexThatCannotBeMade() throws {
    let journal = try journal()
    // A folder where the file would be.
    mkdir("\(journal.path)/index.sqlite", 0o700)
    defer { rmdir("\(journal.path)/index.sqlite") }
    var count = 0
    _ = try JournalSource(directory: journal.path, notice: { _ in }).forEachRequest(
      matching: QueryFilter(), limit: nil
    ) { _ in count += 1 }
    #expect(count == (try scanned(journal, QueryFilter()).count))
  }

  private func size(of path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }
}
