import Admin
import AuditTrail
@testable import Configuration
import Primitives
import Testing

@testable import AuditBrowsing

@Suite struct RequestQueryTests {
  private let now = WallClockTime(rfc3339: "2026-11-28T12:00:00Z")

  private func query(
    _ parameters: (String, String)..., sensitive: GatewayConfiguration.Sensitive = .standard
  ) throws -> RequestQuery {
    try RequestQuery(
      parameters.map { APIParameter(Text($0.0), Text($0.1)) }, sensitive: sensitive, now: try #require(now))
  }

  @Test func filtersAreThoseOfAuditQuery() throws {
    let query = try query(
      ("userId", "crm-alice"), ("tenant", "crm"), ("actor", "alice@corp"), ("accessKeyId", "GHAK1"),
      ("operation", "CreateAppInstanceUser"), ("decision", "denied"), ("outcome", "notForwarded"),
      ("rule", "tags.required"), ("name", "Alice"), ("tag", "A=1"), ("tag", "B=x=y"), ("withoutTag", "C"),
      ("since", "1h"), ("until", "2026-11-28T11:30:00Z"), ("limit", "7"))
    #expect(query.filter.userId == "crm-alice")
    #expect(query.filter.tenant == "crm")
    #expect(query.filter.actor == "alice@corp")
    #expect(query.filter.accessKeyId == "GHAK1")
    #expect(query.filter.operation == "CreateAppInstanceUser")
    #expect(query.filter.decision == .denied)
    #expect(query.filter.outcome == .notForwarded)
    #expect(query.filter.rule == "tags.required")
    #expect(query.filter.name == "Alice")
    #expect(query.filter.tags.map(\.key) == ["A", "B"])
    #expect(query.filter.tags.map(\.value) == ["1", "x=y"])
    #expect(query.filter.withoutTags == ["C"])
    #expect(query.filter.since == WallClockTime(rfc3339: "2026-11-28T11:00:00Z"))
    #expect(query.filter.until == WallClockTime(rfc3339: "2026-11-28T11:30:00Z"))
    #expect(query.limit == 7)
  }

  private func count(_ parameters: (String, String)...) throws -> RequestQuery {
    try RequestQuery(
      parameters.map { APIParameter(Text($0.0), Text($0.1)) }, names: RequestQuery.namesToCount,
      sensitive: .standard, now: try #require(now))
  }

  @Test func whatIsCountedIsToldApartByFields() throws {
    let query = try count(("countBy", "tenant,day"), ("decision", "denied"), ("limit", "3"))
    #expect(query.countBy == [.tenant, .day])
    #expect(query.filter.decision == .denied && query.limit == 3)
  }

  @Test(arguments: [
    ("countBy", "", "`countBy` is missing"), ("decision", "denied", "tenant, actor, operation"),
    ("countBy", "tennant", "unknown field `tennant`; did you mean `tenant`?"),
    ("countBy", "tenant,tenant", "each field may be given once"), ("countBy", "tenant,", "unknown field ``"),
    ("before", "1-1", "unknown parameter `before`"),
  ])
  func whatCannotBeCountedIsRefusedWithWhatCould(_ name: String, _ value: String, _ hint: String) {
    #expect {
      try count((name, value))
    } throws: { error in
      (error as? RequestQuery.Fault)?.message.contains(hint) ?? false
    }
    #expect(throws: RequestQuery.Fault.self) { try query(("countBy", "tenant")) }
  }

  @Test func emptyFieldsOfAFormAskForNothing() throws {
    let query = try query(("tenant", ""), ("decision", ""), ("since", ""), ("limit", ""))
    #expect(query.filter.tenant == nil && query.filter.decision == nil && query.filter.since == nil)
    #expect(query.limit == RequestQuery.standardLimit)
  }

  @Test(arguments: [
    ("tennant", "crm", "did you mean `tenant`?"), ("decision", "deny", "did you mean `denied`?"),
    ("operation", "CreateAppInstanceUsr", "did you mean `CreateAppInstanceUser`?"),
    ("rule", "tags.requird", "did you mean `tags.required`?"), ("limit", "0", "from 1 to 200"),
    ("limit", "201", "from 1 to 200"), ("limit", "many", "from 1 to 200"), ("since", "yesterday", "15m"),
    ("tag", "CostCenter", "KEY=VALUE"), ("tag", "=x", "KEY=VALUE"), ("tag", "A!=x", "`withoutTag`"),
    ("before", "1", "`next`"), ("before", "x-y", "`next`"), ("before", "-1-5", "`next`"),
  ])
  func whatCannotBeMeantIsRefusedWithWhatCould(_ name: String, _ value: String, _ hint: String) {
    #expect {
      try query((name, value))
    } throws: { error in
      (error as? RequestQuery.Fault)?.message.contains(hint) ?? false
    }
  }

  @Test func whatHasOneValueIsGivenOnce() {
    #expect(throws: RequestQuery.Fault.self) { try query(("tenant", "a"), ("tenant", "b")) }
    let many = (0...16).map { APIParameter("tag", Text("K\($0)=v")) }
    #expect(throws: RequestQuery.Fault.self) {
      try RequestQuery(many, sensitive: .standard, now: try #require(now))
    }
  }

  @Test func whatIsNotRecordedCannotBeSearched() {
    var sensitive = GatewayConfiguration.Sensitive.standard
    sensitive.name = .omit
    sensitive.tagValues = .omit
    #expect(throws: RequestQuery.Fault.self) { try query(("name", "Alice"), sensitive: sensitive) }
    #expect(throws: RequestQuery.Fault.self) { try query(("tag", "A=1"), sensitive: sensitive) }
  }

  @Test func theNextPageIsOfNoLaterTimesThanMayStandThere() throws {
    let time = try #require(WallClockTime(rfc3339: "2026-11-28T10:00:00Z"))
    let cursor = RequestQuery.Cursor(sequence: 17, time: time)
    let query = try query(("before", cursor.written))
    #expect(query.before == cursor)
    #expect(query.filter.until == time.advanced(byNanoseconds: RequestQuery.Cursor.slack))
  }
}
