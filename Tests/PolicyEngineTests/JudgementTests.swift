import ChimeIdentity
import Patterns
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// The steps of judgement in their order, and what is told of a request that one of them refuses.
@Suite struct JudgementTests {
  static let rules = policy(
    #""name":{"maxLength":9},"tags":{"set":{"Via":"gatehouse"}},"expiration":{"defaultDays":30}"#)
  static let confined = TenantFacts(
    id: "crm", operations: ["CreateAppInstanceUser", "UpdateAppInstanceUser"],
    appInstances: [Glob("*/aaaa-*")])

  private func tenant(_ policies: [String] = [rules], _ facts: TenantFacts = confined) throws
    -> TenantPolicies
  {
    try compile(policies, tenants: [facts]).0.policies(for: facts)
  }

  private func call(_ operation: ChimeIdentity.Operation = .createAppInstanceUser, _ arn: String = userArn)
    throws
    -> IdentifiedCall
  {
    var path: [UInt8] = []
    for segment in operation.model.pathTemplate.string.split(separator: "/") {
      path += "/".utf8
      if segment.hasPrefix("{") { PercentCoding.encode(arn.utf8, into: &path) } else { path += segment.utf8 }
    }
    return try Operation.identify(method: operation.model.method.name.utf8[...], path: path[...], query: nil)
  }

  /// What stands in the way of a request; `nil`: nothing.
  private func refusal(of judged: JudgedRequest, _ tenant: TenantPolicies) -> JudgementRefusal? {
    var body = ByteBuffer()
    do throws(JudgementRefusal) {
      _ = try judged.confine(to: tenant).validate().decide(
        at: .never, fillingIn: { _ in "t-1" }, body: &body)
      return nil
    } catch {
      return error
    }
  }

  @Test func aRequestThatNothingChangesGoesThroughAsItCame() throws {
    let judged = JudgedRequest(try call(), body: Array(createBody().utf8))
    var body = ByteBuffer()
    let forwarded = try judged.confine(to: try tenant([])).validate().decide(
      at: .never, fillingIn: { _ in "t-1" }, body: &body)
    #expect(forwarded == .asReceived && body.array.isEmpty)
    #expect(judged.isDecided && judged.decision.isAllowed)
  }

  @Test func whatPoliciesChangeIsWrittenAnewBehindWhatWasThere() throws {
    let judged = JudgedRequest(try call(), body: Array(createBody(tags: [("Via", "me")]).utf8))
    var body = ByteBuffer()
    body.append("head")
    let forwarded = try judged.confine(to: try tenant()).validate().decide(
      at: .never, fillingIn: { _ in "t-1" }, body: &body)
    #expect(forwarded == .written)
    #expect(
      String(decoding: body.array, as: UTF8.self) == """
        head{"AppInstanceArn":"\(appInstance)","AppInstanceUserId":"crm-alice","Name":"Alice",\
        "ClientRequestToken":"token-1","Tags":[{"Key":"Via","Value":"gatehouse"}],\
        "ExpirationSettings":{"ExpirationDays":30,"ExpirationCriterion":"CREATED_TIMESTAMP"}}
        """)
  }

  @Test func aMissingTokenIsFilledInLast() throws {
    let body = createBody().replacing(#""ClientRequestToken":"token-1""#, with: #""Metadata":"""#)
    let judged = JudgedRequest(try call(), body: Array(body.utf8))
    #expect(refusal(of: judged, try tenant([])) == nil)
    let facts = PlainFacts(judged.facts)
    #expect(facts.changes == [Change(field: "ClientRequestToken", from: nil, to: "t-1")])
    #expect(facts.clientRequestToken == "t-1")
    #expect(Received(judged.facts).clientRequestToken == nil)
  }

  @Test func theTenantsOperationsComeBeforeTheBody() throws {
    let judged = JudgedRequest(try call(.deleteAppInstanceUser), body: Array("{".utf8))
    guard case .notTheTenants(let violation) = refusal(of: judged, try tenant()) else {
      Issue.record("not refused for its operation")
      return
    }
    #expect(violation.rule == "tenant.operation")
    // The record says about whom it was all the same.
    #expect(PlainFacts(judged.facts).appInstanceUserArn == Text(userArn))
    #expect(!judged.isDecided)
  }

  @Test func aBodyThatIsNoStrictJSONIsRefusedWithItsPlace() throws {
    let judged = JudgedRequest(
      try call(.updateAppInstanceUser), body: Array(#"{"Name":"A","Name":"B"}"#.utf8))
    let refusal = refusal(of: judged, try tenant())
    guard case .notStrictJSON(let error) = refusal else {
      Issue.record("not refused for its body")
      return
    }
    #expect(error.offset == 12)
    #expect(refusal?.message == #"the body is not strict JSON: duplicate key "Name", at byte 12"#)
    let facts = PlainFacts(judged.facts)
    #expect(facts.appInstanceUserId == "crm-alice" && facts.name == nil)
  }

  @Test func anAppInstanceOfOthersComesBeforeTheModel() throws {
    let other = "arn:aws:chime:us-east-1:123456789012:app-instance/other"
    let body = createBody(name: "", appInstanceArn: other)
    guard
      case .notTheTenants(let violation) = refusal(
        of: JudgedRequest(try call(), body: Array(body.utf8)), try tenant())
    else {
      Issue.record("not refused for its AppInstance")
      return
    }
    #expect(violation.rule == "tenant.appInstance")
    let inPath = JudgedRequest(
      try call(.updateAppInstanceUser, "\(other)/user/x"), body: Array(#"{"Name":"A","Metadata":""}"#.utf8))
    guard case .notTheTenants = refusal(of: inPath, try tenant()) else {
      Issue.record("not refused for the AppInstance in its path")
      return
    }
  }

  @Test func theModelComesBeforePolicies() throws {
    let body = createBody(name: "Alice Liddell").replacing("}", with: #","Nickname":"Al"}"#)
    let judged = JudgedRequest(try call(), body: Array(body.utf8))
    guard case .breaksModel(let violation) = refusal(of: judged, try tenant()) else {
      Issue.record("not refused for the model")
      return
    }
    #expect(violation.message == "`Nickname` is not a member of this operation's input; did you mean `Name`?")
    #expect(!judged.isDecided && PlainFacts(judged.facts).name == "Alice Liddell")
  }

  @Test func aDenialTellsWhatCameAndWhatWasChanged() throws {
    let judged = JudgedRequest(
      try call(),
      body: Array(createBody(name: "Alice Liddell", tags: [("Via", "me"), ("K", "\"\u{e9}")]).utf8))
    let found = refusal(of: judged, try tenant())
    guard case .denied(let violations) = found else {
      Issue.record("not denied")
      return
    }
    #expect(violations == judged.decision.violations && violations.map(\.rule) == ["name.length"])
    #expect(
      found?.message
        == "p: name.length: Name: the value has 13 characters; accepted: at most 9 characters")
    let received = Received(judged.facts)
    #expect(received.tags == [.init(key: "Via", value: "me"), .init(key: "K", value: "\"\u{e9}")])
    #expect(received.expirationDays == nil && received.clientRequestToken == "token-1")
    let facts = PlainFacts(judged.facts)
    #expect(facts.tags.first?.value == "gatehouse" && facts.expirationDays == 30)
    #expect(
      facts.changes == [
        Change(field: "Tags.Via", from: "me", to: "gatehouse"),
        Change(field: "ExpirationSettings.ExpirationDays", from: nil, to: "30"),
      ])
    #expect(Received(judged.facts).changes == facts.changes)
  }

  @Test func memoryThatIsUsedAgainTellsNothingOfTheRequestBefore() throws {
    let tenant = try tenant()
    let used = JudgedRequest(
      try call(),
      body: Array(createBody(name: "Alice\nLiddell", tags: [("a", "b")], days: 9, metadata: "m").utf8))
    _ = refusal(of: used, tenant)
    let body = Array(#"{"Name":"\u0041","Metadata":""}"#.utf8)
    used.reuse(for: try call(.updateAppInstanceUser), in: body, body: 0..<body.count)
    let fresh = JudgedRequest(try call(.updateAppInstanceUser), body: body)
    for judged in [used, fresh] { #expect(refusal(of: judged, tenant) == nil) }
    #expect("\(PlainFacts(used.facts))" == "\(PlainFacts(fresh.facts))")
    #expect("\(Received(used.facts))" == "\(Received(fresh.facts))")
    #expect(used.decision.violations == [] && used.isDecided)
  }

  /// Whatever a policy changes, what came can still be told.
  @Test func whatWasReceivedIsNeverChanged() throws {
    var changed = 0
    for seed in 97_000..<97_100 as Range<UInt64> {
      var random = RandomPolicies(seed: seed)
      let world = try ReferenceComparisonTests.World(random.policies(), random.tenants())
      for _ in 0..<10 {
        let request = try random.request().governed()
        let before = Received(request)
        for tenant in world.tenants {
          var copy = request.copy()
          _ = world.set.policies(for: tenant.facts).decide(&copy)
          let after = Received(copy)
          #expect(
            after.tags == before.tags && after.expirationDays == before.expirationDays
              && after.clientRequestToken == before.clientRequestToken)
          #expect(after.changes == copy.changes)
          changed += copy.changeCount
        }
        #expect(request.changeCount == 0)
      }
    }
    #expect(changed > 300)
  }
}

/// What a record tells of a request.
private struct Received {
  let tags: [PlainFacts.Tag]
  let expirationDays: Int?
  let clientRequestToken: Text?
  let changes: [Change]

  init(_ facts: borrowing GovernedRequest) {
    tags = (0..<facts.receivedTagCount).map {
      .init(key: facts.tagKey($0).uncheckedText, value: facts.receivedTagValue($0).uncheckedText)
    }
    expirationDays = facts.receivedExpirationDays
    clientRequestToken = facts.receivedClientRequestToken?.uncheckedText
    changes = (0..<facts.changeCount).map { index in
      Change(
        field: facts.changedField(index).uncheckedText.string, from: facts.changedFrom(index)?.uncheckedText,
        to: facts.changedTo(index).uncheckedText)
    }
  }
}
