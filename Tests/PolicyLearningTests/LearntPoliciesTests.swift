import ChimeIdentity
import Primitives
import Testing

@testable import PolicyLearning

@Suite struct LearntPoliciesTests {
  private func rules(_ learnt: LearntPolicies) -> [String] {
    learnt.rules.map { "\($0.policy) \($0.rule) \($0.text) \($0.fits)/\($0.requests)" }
  }

  @Test func whatAllRequestsHaveInCommonIsProposed() throws {
    let requests = (0..<24).map { number in
      creation(
        "crm-\(["alice", "bob", "carol"][number % 3])",
        tags: [("CostCenter", "\(4711 + number % 2)"), ("Env", "prod")],
        days: 30 + number)
    }
    let learnt = learn(requests)
    #expect(
      rules(learnt) == [
        "learnt appInstanceUserId.prefix ${tenant.id}- 24/24",
        "learnt appInstanceUserId.pattern crm-[a-z]+ 24/24",
        "learnt appInstanceUserId.length 7 to 9 characters 24/24",
        "learnt name.length 13 to 20 characters 24/24",
        "learnt name.trimmed no white space at either end 24/24",
        "learnt name.singleScript letters of one script 24/24", "learnt tags.required CostCenter 24/24",
        "learnt tags.value CostCenter: 4711, 4712 24/24", "learnt tags.required Env 24/24",
        "learnt tags.value Env: prod 24/24", "learnt tags.allowedKeys CostCenter, Env 24/24",
        "learnt expiration.required an expiration 24/24", "learnt expiration.minDays at least 30 24/24",
        "learnt expiration.maxDays at most 53 24/24",
      ])
    #expect(
      learnt.omissions == [] && learnt.files(for: nil).map(\.name) == ["learnt.json", "learnt.test.json"])
    let text = String(decoding: try #require(learnt.files(for: "crm").first).content, as: UTF8.self)
    #expect(text.contains(#""mode": "warn""#) && text.contains("kept by 100 % of 24 requests"))
    let oneLine = text.split(whereSeparator: \.isWhitespace).joined()
    #expect(oneLine.contains(#""match":{"tenants":["crm"]}"#))
  }

  @Test func whatNearlyAllHaveIsAPolicyOfItsOwn() throws {
    var requests = (0..<30).map { creation("crm-\($0)", tags: [("Owner", "o\($0)@example.com")], days: 9) }
    requests[3] = creation("odd", tags: [], days: nil)
    let learnt = learn(requests)
    let nearly = rules(learnt).filter { $0.hasPrefix("learnt-nearly") }
    #expect(
      nearly == [
        "learnt-nearly appInstanceUserId.prefix ${tenant.id}- 29/30",
        "learnt-nearly tags.required Owner 29/30",
        #"learnt-nearly tags.pattern Owner: o[0-9]+\@example\.com 29/29"#,
        "learnt-nearly expiration.required an expiration 29/30",
      ])
    #expect(learnt.rules.first { $0.rule == "tags.required" }?.share == "96.6 % of 30 requests")
    let inForce = try InForce(learnt)
    #expect(inForce.problems == [])
    #expect(
      inForce.broken(LearntPolicies.nearly, by: requests[3]) == [
        "appInstanceUserId.prefix AppInstanceUserId", "tags.required Tags.Owner",
        "expiration.required ExpirationSettings",
      ])
  }

  @Test(arguments: [
    (["0a9f", "b7c1", "ffff"], "[a-f0-9]+"), (["alice", "bobby", "carol"], "[a-z]{5}"),
    (["A1", "B22"], "[A-Z][0-9]+"),
    (["x.y", "xx.yy"], #"[a-z]+\.[a-z]+"#), (["a.b", "a.b"], #"a\.b"#), (["a b", "c"], #"[a-z\ ]+"#),
  ])
  func patternsSayWhatStringsAreMadeOf(_ strings: [String], _ pattern: String) {
    var observed = ObservedStrings()
    for string in strings { observed.take(Text(string)) }
    #expect(observed.pattern == pattern)
  }

  @Test(arguments: [["ä", "b"], ["", "b"], ["!\"#$%&'()"], []])
  func whatHasTooLittleInCommonHasNoPattern(_ strings: [String]) {
    var observed = ObservedStrings()
    for string in strings { observed.take(Text(string)) }
    #expect(observed.pattern == nil)
  }

  @Test func whatIsHiddenOrOddIsSaidAndNotGuessed() {
    let learnt = learn(
      (0..<20).map {
        creation("ä\($0)", name: nil, tags: [("Secret", nil), ("a*b", "x"), ("Key", "v"), ("key", "v")])
      })
    #expect(
      learnt.omissions == [
        "ids have no prefix that 90 % of them share",
        "ids consist of characters of too many kinds for a pattern",
        "the journal does not show names", "the tag `Key` cannot be required: it also comes as `key`",
        "no rule about values of the tag `Secret`: the journal does not show them",
        "the tag `a*b` cannot be required: its key has characters that mean something in policies",
        "the tag `key` cannot be required: it also comes as `Key`",
        "the 4 tag keys are too many, or too odd, for a list of those that are allowed",
        "no request gives an expiration",
      ])
  }

  @Test func aTagThatIsTakenAwayIsNotRequired() {
    var untag = ObservedRequest(.untagResource, tenant: "crm")
    untag.removedKeys = ["env"]
    let learnt = learn((0..<20).map { creation("crm-\($0)", tags: [("Env", "prod")]) } + [untag])
    #expect(!learnt.rules.contains { $0.rule == "tags.required" })
    #expect(learnt.omissions.contains("the tag `Env` cannot be required: requests take it away"))
  }

  @Test func whatPoliciesPutInIsAllowedToo() throws {
    var request = creation("crm-1", tags: [("Env", "prod")], days: 400)
    request.changedTags = [.init("Via", "gatehouse")]
    request.changedDays = 90
    let learnt = learn(Array(repeating: request, count: 20))
    #expect(learnt.rules.contains { $0.rule == "tags.allowedKeys" && $0.text == "Env, Via" })
    #expect(learnt.rules.contains { $0.rule == "expiration.minDays" && $0.text == "at least 90" })
  }
}
