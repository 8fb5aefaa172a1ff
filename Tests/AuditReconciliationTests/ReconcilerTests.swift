import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditReconciliation

/// What upstream's state says about one request.
@Suite struct ReconcilerTests {
  @Test(arguments: [
    (0, AuditOutcome.created), (300, .created), (-300, .created), (301, .failed), (-301, .failed),
  ])
  func aUserIsTheRequestsIfItIsAsOld(_ secondsLater: Int, _ outcome: AuditOutcome) async throws {
    let upstream = ScriptedUpstream()
    let created = asked.advanced(byNanoseconds: Int64(secondsLater) * 1_000_000_000)
    upstream.described = ScriptedUpstream.user(",\"CreatedTimestamp\":\"\(created.rfc3339)\"")
    let finding = try await find(open("CreateAppInstanceUser"), upstream)
    #expect(finding.outcome == outcome)
    #expect(finding.userArn == (outcome == .created ? alice : nil))
  }

  @Test func aTimeIsAlsoReadAsSeconds() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = ScriptedUpstream.user(",\"CreatedTimestamp\":1795438800.5")
    #expect(try await find(open("CreateAppInstanceUser"), upstream).outcome == .created)
    upstream.described = ScriptedUpstream.user(",\"CreatedTimestamp\":1e300")
    #expect(try await find(open("CreateAppInstanceUser"), upstream).outcome == .created, "no time is told")
  }

  @Test(arguments: [
    ("CreateAppInstanceUser", AuditOutcome.failed), ("DeleteAppInstanceUser", .succeeded),
    ("UpdateAppInstanceUser", .unknown), ("PutAppInstanceUserExpirationSettings", .unknown),
  ])
  func absenceMeansWhatTheOperationWas(_ operation: String, _ outcome: AuditOutcome) async throws {
    #expect(try await find(open(operation), ScriptedUpstream()).outcome == outcome)
  }

  @Test func aUserThatIsStillThereWasNotDeleted() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = ScriptedUpstream.user("")
    #expect(try await find(open("DeleteAppInstanceUser"), upstream).outcome == .failed)
    let later = asked.advanced(byNanoseconds: 301_000_000_000)
    upstream.described = ScriptedUpstream.user(",\"CreatedTimestamp\":\"\(later.rfc3339)\"")
    #expect(try await find(open("DeleteAppInstanceUser"), upstream).outcome == .unknown, "made again since")
  }

  @Test(arguments: [
    (#","name":"Alice","metadata":"m""#, #","Name":"Alice","Metadata":"m""#, AuditOutcome.succeeded),
    (#","name":"Alice","metadata":"m""#, #","Name":"Bob","Metadata":"m""#, .failed),
    (#","name":"Alice","metadata":"""#, #","Name":"Alice""#, .succeeded),
    // Hidden: only its length is known.
    (#","name":"Alice","metadataBytes":1"#, #","Name":"Alice","Metadata":"m""#, .unknown),
    (#","name":"Alice","metadataBytes":2"#, #","Name":"Alice","Metadata":"m""#, .failed),
    (#","name":"Alice","metadataBytes":0"#, #","Name":"Alice""#, .succeeded),
    (#","name":"hmac-sha256:00","metadata":"m""#, #","Name":"Alice","Metadata":"m""#, .unknown),
    (#","name":"hmac-sha256:00","metadata":"m""#, #","Name":"Alice","Metadata":"other""#, .failed),
  ])
  func anUpdateIsComparedAsFarAsTheJournalShowsIt(
    _ recorded: String, _ current: String, _ outcome: AuditOutcome
  ) async throws {
    let upstream = ScriptedUpstream()
    upstream.described = ScriptedUpstream.user(current)
    #expect(try await find(open("UpdateAppInstanceUser", recorded), upstream).outcome == outcome)
  }

  @Test func anExpirationIsThatOfThePolicyWhereOneChangedIt() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = ScriptedUpstream.user(",\"ExpirationSettings\":{\"ExpirationDays\":30}")
    let operation = "PutAppInstanceUserExpirationSettings"
    #expect(try await find(open(operation, #","expirationDays":30"#), upstream).outcome == .succeeded)
    #expect(try await find(open(operation, #","expirationDays":31"#), upstream).outcome == .failed)
    let changed = #","expirationDays":31,"changes":[{"field":"ExpirationSettings.ExpirationDays","to":"30"}]"#
    #expect(try await find(open(operation, changed), upstream).outcome == .succeeded)
  }

  @Test func whatCannotBeAskedForIsLeftUnknown() async throws {
    let upstream = ScriptedUpstream()
    #expect(try await find(open("CreateAppInstance"), upstream).outcome == .unknown)
    #expect(try await find(open("NoSuchOperation"), upstream).outcome == .unknown)
    #expect(upstream.questions == 0)
  }
}

/// Where a user is not described, its AppInstance's list is looked through.
@Suite struct UserPresenceTests {
  private func page(_ users: [Text], next: String? = nil) -> ScriptedUpstream.Script {
    let listed = users.map { "{\"AppInstanceUserArn\":\"\($0)\",\"Name\":\"n\"}" }.joined(separator: ",")
    return .answer("{\"AppInstanceUsers\":[\(listed)]\(next.map { ",\"NextToken\":\"\($0)\"" } ?? "")}")
  }

  private func outcome(_ pages: [ScriptedUpstream.Script]) async throws -> (AuditOutcome, questions: Int) {
    let upstream = ScriptedUpstream()
    upstream.described = .refused
    upstream.pages = pages
    return (try await find(open("CreateAppInstanceUser"), upstream).outcome, upstream.questions)
  }

  @Test func allPagesAreAskedFor() async throws {
    let other: Text = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/other"
    #expect(try await outcome([page([other], next: "2"), page([alice])]) == (.created, 3))
    #expect(try await outcome([page([other], next: "2"), page([other], next: "")]) == (.failed, 3))
    #expect(try await outcome([page([])]) == (.failed, 2))
  }

  @Test func aListThatDoesNotGoOnEnds() async throws {
    #expect(try await outcome([page([], next: "2"), page([], next: "2"), page([alice])]) == (.unknown, 3))
  }

  @Test func aListThatIsRefusedOrUnreadableTellsNothing() async throws {
    #expect(try await outcome([]).0 == .unknown)
    #expect(try await outcome([.answer("{}")]).0 == .unknown)
    #expect(try await outcome([.notFound]).0 == .unknown)
  }

  @Test func aListedUserTellsNothingAboutItsExpiration() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = .refused
    upstream.pages = [page([alice])]
    #expect(try await find(open("PutAppInstanceUserExpirationSettings"), upstream).outcome == .unknown)
  }
}

@Suite struct TagReconcilerTests {
  private static let current = #"{"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}"#

  @Test(arguments: [
    (#","tags":{"a":"1"}"#, AuditOutcome.succeeded), (#","tags":{"a":"1","b":"2"}"#, .succeeded),
    (#","tags":{"a":"2"}"#, .failed), (#","tags":{"c":"1"}"#, .failed),
    // Without its value only its key is known.
    (#","tags":{"a":null}"#, .unknown), (#","tags":{"c":null}"#, .failed),
    (#","tags":{"a":"1"},"tagsNotRecorded":1"#, .unknown), ("", .unknown),
    (#","tags":{"a":"9"},"changes":[{"field":"Tags.a","to":"1"}]"#, .succeeded),
  ])
  func tagsAreComparedWithWhatWasForwarded(_ recorded: String, _ outcome: AuditOutcome) async throws {
    let upstream = ScriptedUpstream()
    upstream.tags = .answer(Self.current)
    #expect(try await find(open("TagResource", recorded), upstream).outcome == outcome)
  }

  @Test(arguments: [
    (#","tagKeys":["c"]"#, AuditOutcome.succeeded), (#","tagKeys":["c","a"]"#, .failed), ("", .unknown),
  ])
  func tagsThatWereTakenAwayAreGone(_ recorded: String, _ outcome: AuditOutcome) async throws {
    let upstream = ScriptedUpstream()
    upstream.tags = .answer(Self.current)
    #expect(try await find(open("UntagResource", recorded), upstream).outcome == outcome)
  }

  @Test func aResourceThatIsGoneOrSilentTellsNothing() async throws {
    let upstream = ScriptedUpstream()
    for script in [ScriptedUpstream.Script.notFound, .refused] {
      upstream.tags = script
      #expect(try await find(open("TagResource", #","tags":{"a":"1"}"#), upstream).outcome == .unknown)
    }
  }
}

@Suite struct ComparisonTests {
  @Test func oneDifferenceIsEnoughAndNoneMustBeHidden() {
    #expect(Comparison.all([]) == .equal)
    #expect(Comparison.all([.equal, .hidden]) == .hidden)
    #expect(Comparison.all([.hidden, .different, .equal]) == .different)
  }
}
