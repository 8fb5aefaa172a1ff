import ChimeIdentity
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

@Suite struct ChangeTests {
  static let days = "ExpirationSettings.ExpirationDays"

  @Test func aDefaultIsAddedOnlyWhereTheTagIsMissing() throws {
    let rules = policy(#""tags":{"required":[{"key":"Owner","default":"o"}]}"#)
    #expect(try decide([rules], createBody()).changes == ["Tags.Owner: o"])
    #expect(try decide([rules], createBody(tags: [("Owner", "x")])).changes == [])
  }

  @Test func noDefaultIsAddedBesideTheKeyInAnotherCase() throws {
    let rules = policy(#""tags":{"required":[{"key":"Owner","default":"o"}]}"#)
    let outcome = try decide([rules], createBody(tags: [("OWNER", "x")]))
    #expect(outcome.changes == [])
    #expect(outcome.violations == ["tags.keyCase Tags.OWNER"])
  }

  @Test func aSetTagIsAddedOverwrittenOrLeftAsItIs() throws {
    let rules = policy(#""tags":{"set":{"Via":"gatehouse"}}"#)
    #expect(try decide([rules], createBody()).changes == ["Tags.Via: gatehouse"])
    let overwritten = try decide([rules], createBody(tags: [("Via", "me"), ("K", "1")]))
    #expect(overwritten.changes == ["Tags.Via: me -> gatehouse"])
    #expect(overwritten.request.tags.map(\.key) == ["Via", "K"])
    #expect(try decide([rules], createBody(tags: [("Via", "gatehouse")])).changes == [])
  }

  @Test func setWinsOverTheDefaultOfTheSamePolicyAsOneChange() throws {
    let rules = policy(#""tags":{"required":[{"key":"K","default":"a"}],"set":{"K":"b"}}"#)
    #expect(try decide([rules], createBody()).changes == ["Tags.K: b"])
  }

  @Test func defaultDaysBringTheCriterionWithThem() throws {
    let outcome = try decide([policy(#""expiration":{"defaultDays":30}"#)], createBody())
    #expect(outcome.changes == ["\(Self.days): 30"])
    #expect(outcome.request.expirationCriterion == "CREATED_TIMESTAMP")
  }

  @Test func theLowerOfTwoClampsHolds() throws {
    let policies = [
      policy(#""expiration":{"maxDays":60,"onExcess":"clamp"}"#, name: "b"),
      policy(#""expiration":{"maxDays":90,"onExcess":"clamp"}"#, name: "a"),
    ]
    let outcome = try decide(policies, createBody(days: 365))
    #expect(outcome.changes == ["\(Self.days): 365 -> 60"])
    #expect(outcome.violations == [])
  }

  @Test func aClampLowersTheDefaultOfAPolicyWithALaterName() throws {
    let policies = [
      policy(#""expiration":{"maxDays":20,"onExcess":"clamp"}"#, name: "a"),
      policy(#""expiration":{"defaultDays":30}"#, name: "b"),
    ]
    let outcome = try decide(policies, createBody())
    #expect(outcome.changes == ["\(Self.days): 20"])
    #expect(outcome.violations == [])
  }

  @Test func checksSeeTheChangesOfAllPolicies() throws {
    let policies = [
      policy(#""tags":{"required":[{"key":"K","values":["b"]}]}"#, name: "a"),
      policy(#""tags":{"set":{"K":"b"}}"#, name: "b"),
    ]
    #expect(try decide(policies, createBody(tags: [("K", "a")])).violations == [])
  }

  @Test func changesComeInTheOrderOfNamesAndRules() throws {
    let policies = [
      policy(#""tags":{"set":{"Z":"1"}}"#, name: "B"),
      policy(#""tags":{"set":{"Y":"1"}}"#, name: "a"),
      policy(#""tags":{"required":[{"key":"X","default":"1"}],"set":{"W":"1","V":"1"}}"#, name: "A"),
    ]
    #expect(
      try decide(policies, createBody()).changes == [
        "Tags.X: 1", "Tags.W: 1", "Tags.V: 1", "Tags.Z: 1", "Tags.Y: 1",
      ])
  }

  @Test func violationsComeInTheOrderOfNames() throws {
    let policies = ["b", "a", "B"].map { policy(#""name":{"maxLength":1}"#, name: $0) }
    #expect(try decide(policies, createBody()).decision.violations.map(\.policy) == ["B", "a", "b"])
  }

  @Test func aFieldThatIsChangedBackIsNoChange() throws {
    var request = try request(createBody(tags: [("K", "a")]))
    let away = request.put(Text("b").utf8.span)
    _ = request.setTag(0, to: away, by: PolicyHash("p"))
    _ = request.addTag(
      FilledTag(FoldedKey("L"), BoundTemplate("b", for: TenantFacts(id: "crm"))), by: PolicyHash("p"))
    let back = request.put(Text("a").utf8.span)
    _ = request.setTag(0, to: back, by: PolicyHash("p"))
    #expect(request.changes == [Change(field: "Tags.L", from: nil, to: "b")])
  }
}
