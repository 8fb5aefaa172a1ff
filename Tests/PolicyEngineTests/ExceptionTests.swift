import ChimeIdentity
import Configuration
import OpenSSLCrypto
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// What exceptions cover, until when, and what they leave alone.
@Suite struct ExceptionTests {
  static let day = "2027-01-31"
  static let before = WallClockTime(rfc3339: "2027-01-31T23:59:59.999Z") ?? .never
  static let after = WallClockTime(rfc3339: "2027-02-01T00:00:00Z") ?? .never

  static func exception(
    _ more: String = "", name: String = "import", policies: String = #"["p"]"#, until: String = day
  ) -> String {
    #"{"exception":"\#(name)","reason":"r","until":"\#(until)","policies":\#(policies)\#(more)}"#
  }

  /// A set of policies and exceptions, given as texts.
  private func load(_ policies: [String], _ exceptions: [String]) throws -> (PolicySet, [Problem]) {
    var files: [String: String] = [:]
    for (index, text) in policies.enumerated() { files["p\(index).json"] = text }
    for (index, text) in exceptions.enumerated() { files["e\(index).exception.json"] = text }
    let loader = ConfigurationLoader(
      files: PolicyFolder(files: files), environment: [:], knownOperations: Operation.allCases.map(\.name))
    let (loaded, problems) = loader.policies(inFolder: "policies")
    guard let loaded else { throw BadFixture(problems: problems.map(\.line)) }
    return PolicySet.compile(documents: loaded.documents, exceptions: loaded.exceptions, tenants: [crm])
  }

  private func decide(
    _ policies: [String], _ exceptions: [String], _ body: String = createBody(),
    as operation: ChimeIdentity.Operation = .createAppInstanceUser, at now: WallClockTime = Self.before,
    tenant: TenantFacts = crm
  ) throws -> Decision {
    var facts = try request(body, as: operation)
    return try load(policies, exceptions).0.policies(for: tenant).decide(&facts, at: now)
  }

  static let rules = #""name":{"maxLength":1},"tags":{"required":[{"key":"Owner"}]}"#

  @Test func whatIsCoveredWarnsUntilTheEndOfTheDay() throws {
    let covered = try decide([policy(Self.rules)], [Self.exception()])
    #expect(covered.isAllowed)
    #expect(covered.warnings.map(\.rule) == ["name.length", "tags.required"])
    #expect(covered.warnings.allSatisfy { $0.exception == "import" })
    #expect(covered.exceptions == ["import"])
    let ended = try decide([policy(Self.rules)], [Self.exception()], at: Self.after)
    #expect(ended.violations.count == 2 && ended.warnings.isEmpty && ended.exceptions.isEmpty)
    // Without a time none holds.
    #expect(try !decide([policy(Self.rules)], [Self.exception()], at: .never).isAllowed)
  }

  @Test(arguments: [
    (#","rules":["name.length"]"#, ["tags.required"]), (#","rules":["name.*"]"#, ["tags.required"]),
    (#","rules":["tags.re*","name.l*"]"#, []),
    (#","rules":["expiration.*"]"#, ["name.length", "tags.required"]),
    (#","match":{"tenants":["crm"]}"#, []),
    (#","match":{"tenants":["erp"]}"#, ["name.length", "tags.required"]),
    (#","match":{"exclude":{"tenants":["crm"]}}"#, ["name.length", "tags.required"]),
    (#","match":{"exclude":{"appInstances":["*/aaaa-1"]}}"#, ["name.length", "tags.required"]),
    (#","match":{"exclude":{"operations":["Update*"]}}"#, []),
    (#","match":{"operations":["Update*"]}"#, ["name.length", "tags.required"]),
    (#","match":{"appInstances":["*/aaaa-*"]}"#, []),
    (#","match":{"tenantLabels":{"costCenter":["47*"]}}"#, []),
    (#","match":{"tenantLabels":{"region":["*"]}}"#, ["name.length", "tags.required"]),
    (#","when":{"appInstanceUserId":["crm-*"]}"#, []),
    (#","when":{"tags.Import":["yes"]}"#, ["name.length", "tags.required"]),
  ])
  func coverageHangsOnRuleMatchAndWhen(_ more: String, _ left: [String]) throws {
    let decision = try decide([policy(Self.rules)], [Self.exception(more)])
    #expect(decision.violations.map(\.rule) == left)
    #expect(decision.violations.count + decision.warnings.count == 2)
  }

  /// A policy counts what it does not know as held; an exception does not.
  @Test func whatIsNotKnownDoesNotCover() throws {
    let exceptions = [Self.exception(#","when":{"tags.Import":["yes"]}"#)]
    let body = #"{"Name":"Alice","Metadata":"m"}"#
    #expect(try !decide([policy(Self.rules)], exceptions, body, as: .updateAppInstanceUser).isAllowed)
    let negated = [Self.exception(#","when":{"not":{"tags.Import":["no"]}}"#)]
    #expect(try !decide([policy(Self.rules)], negated, body, as: .updateAppInstanceUser).isAllowed)
  }

  @Test func onlyNamedPoliciesAreCoveredAndWarningsStay() throws {
    let policies = [
      policy(Self.rules), policy(#""name":{"maxLength":2}"#, name: "q"),
      policy(#""name":{"maxLength":3}"#, name: "w", mode: "warn"),
    ]
    let decision = try decide(policies, [Self.exception()])
    #expect(decision.violations.map(\.policy) == ["q"])
    #expect(decision.warnings.map(\.exception) == [nil, "import", "import"])
  }

  @Test func theFirstByNameIsNamed() throws {
    let decision = try decide(
      [policy(Self.rules)],
      [
        Self.exception(name: "c"), Self.exception(#","rules":["tags.*"]"#, name: "b"),
        Self.exception(name: "a", until: "2020-01-01"),
      ])
    #expect(decision.warnings.map(\.exception) == ["c", "b"])
    #expect(decision.exceptions == ["b", "c"])
  }

  @Test func protectionIsCoveredWhereTheOperationMatches() throws {
    let set = policy(#""tags":{"set":{"Via":"x"}}"#)
    let body = #"{"ResourceARN":"\#(userArn)","TagKeys":["Via"]}"#
    #expect(try decide([set], [Self.exception()], body, as: .untagResource).isAllowed)
    let creation = Self.exception(#","match":{"operations":["Create*"]}"#)
    #expect(try !decide([set], [creation], body, as: .untagResource).isAllowed)
  }

  /// Of the request between the changes of policies without a `when` and those of policies with one.
  @Test func aWhenIsAskedBeforePoliciesWithOneMakeTheirChanges() throws {
    let policies = [
      policy(Self.rules),
      #"{"policy":"q","when":{"name":["Alice"]},"rules":{"tags":{"set":{"Import":"yes"}}}}"#,
    ]
    let exceptions = [Self.exception(#","when":{"tags.Import":["yes"]}"#)]
    #expect(try !decide(policies, exceptions).isAllowed)
    #expect(try decide(policies, exceptions, createBody(tags: [("Import", "yes")])).isAllowed)
    let earlier = [policy(Self.rules), policy(#""tags":{"set":{"Import":"yes"}}"#, name: "q")]
    #expect(try decide(earlier, exceptions).isAllowed)
  }

  @Test func unknownPoliciesAndRulesAreErrorsWithTheNearest() throws {
    let text = Self.exception(#","rules":["nmae.length","tags.*","x*"]"#, policies: #"["q","gatehouse","p"]"#)
    let problems = try load([policy(Self.rules)], [text]).1.map(\.line)
    #expect(problems.count == 4)
    #expect(problems.allSatisfy { $0.contains("e0.exception.json:1:") && $0.contains("error:") })
    #expect(problems.contains { $0.contains("unknown policy `q`") })
    #expect(problems.contains { $0.contains("the gateway's own rules have no exceptions") })
    #expect(problems.contains { $0.contains("unknown rule `nmae.length`; did you mean `name.length`?") })
    #expect(problems.contains { $0.contains("unknown rule `x*`") })
  }

  @Test(arguments: [
    ("2027-01-17T23:59:59Z", nil), ("2027-01-18T00:00:00Z", "in 14 days"),
    ("2027-01-31T12:00:00Z", "in 0 days"), ("2027-02-01T00:00:00Z", "has no effect"),
  ])
  func itsEndIsToldFromFourteenDaysBefore(_ time: String, _ words: String?) throws {
    let loader = ConfigurationLoader(
      files: PolicyFolder(files: ["a.exception.json": Self.exception()]), environment: [:],
      knownOperations: [])
    let document = try #require(loader.policies(inFolder: "policies").0?.exceptions.first)
    let problem = document.problem(at: try #require(WallClockTime(rfc3339: time)))
    #expect((problem == nil) == (words == nil))
    #expect(problem?.severity ?? .warning == .warning)
    if let words { #expect(problem?.message.contains(words) == true) }
  }

  @Test func explainNamesTheExceptionThatSoftened() throws {
    let set = try load([policy(Self.rules)], [Self.exception(#","rules":["name.*"]"#)]).0
    let explanation = set.policies(for: crm).explain(try request(createBody()), at: Self.before)
    let verdicts = explanation.policies[0].verdicts.filter { !$0.isKept }
    #expect(verdicts.map(\.exception) == ["import", nil])
    let json = String(decoding: explanation.json(), as: UTF8.self)
    #expect(json.contains(#""exception":"import"}"#) && json.contains(#""exceptions":["import"]"#))
  }

  /// A replay knows what the journal hides, and nothing else is sure.
  @Test func aHiddenValueThatAnExceptionAsksForLeavesItOpen() throws {
    let set = try load(
      [policy(#""appInstanceUserId":{"maxLength":1}"#)],
      [
        Self.exception(#","when":{"name":["Alice"]}"#)
      ]
    ).0.policies(for: crm)
    let facts = try request(createBody())
    var hidden = HiddenFacts()
    hidden.name = true
    #expect(set.decide(facts, hiding: hidden, at: Self.before).verdict == .undecidable)
    #expect(set.decide(facts, hiding: HiddenFacts(), at: Self.before).verdict == .allowed)
    #expect(set.decide(facts, hiding: HiddenFacts(), at: Self.after).verdict == .denied)
  }
}
