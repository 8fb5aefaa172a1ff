import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// Policies that refuse what they themselves put in.
@Suite struct SelfContradictionTests {
  struct Contradiction: CustomTestStringConvertible {
    let rules: String
    let messages: [String]
    var testDescription: String { rules }

    init(_ rules: String, _ messages: String...) {
      self.rules = rules
      self.messages = messages
    }
  }

  static let tenants = [
    TenantFacts(id: "crm", labels: ["owner": "a@example.com", "code": "4711"]),
    TenantFacts(id: "erp", labels: ["owner": "b@example.org", "code": "1"]),
  ]

  static let contradictions: [Contradiction] = [
    .init(
      #""tags":{"required":[{"key":"K","values":["a*","c"],"default":"b"}]}"#,
      "the value of the tag `K` that is put in is not among the values in its own required tags; accepted: a value"
        + " that matches one of `a*`, `c`"),
    .init(
      #""tags":{"required":[{"key":"K","pattern":"a+"}],"set":{"K":"ab"}}"#,
      "the value of the tag `K` that is put in does not match the pattern in its own required tags; accepted: a"
        + " value that as a whole matches `a+`"),
    .init(
      #""tags":{"required":[{"key":"K","default":"a"}],"allowedKeys":["L"]}"#,
      "the tag `K` that is put in is not among its own allowedKeys; accepted: keys that match one of `L`"),
    .init(
      #""tags":{"required":[{"key":"K","default":"a"}],"set":{"L":"b"},"forbiddenKeys":["?"]}"#,
      "the tag `K` that is put in is among its own forbiddenKeys; accepted: keys that match none of `?`",
      "the tag `L` that is put in is among its own forbiddenKeys; accepted: keys that match none of `?`"),
    .init(
      #""tags":{"required":[{"key":"Owner"}],"set":{"owner":"b"}}"#,
      "the tag `owner` that is put in differs only in case from one of its own required tags, `Owner`; accepted:"
        + " the key `Owner`"),
    .init(
      #""tags":{"required":[{"key":"A","default":"a"}],"set":{"B":"b","C":"c"},"maxCount":2}"#,
      "the policy puts in 3 tags, and its own maxCount is 2; accepted: at most 2 tags"),
    .init(
      #""expiration":{"minDays":10,"maxDays":20,"defaultDays":5}"#,
      "the default of 5 days is below its own minDays, 10; accepted: 10 to 20 days"),
    .init(
      #""expiration":{"maxDays":20,"defaultDays":30}"#,
      "the default of 30 days is above its own maxDays, 20; accepted: at most 20 days"),
    // What tenants make of it.
    .init(
      #""tags":{"required":[{"key":"K","pattern":"[^@]+@example\\.com","default":"${tenant.labels.owner}"}]}"#,
      "the value of the tag `K` that is put in does not match the pattern in its own required tags, for tenant"
        + " `erp`; accepted: a value that as a whole matches `[^@]+@example\\.com`"),
    .init(
      #""tags":{"required":[{"key":"K","values":["47*","${tenant.id}"]}],"set":{"K":"${tenant.labels.code}"}}"#,
      "the value of the tag `K` that is put in is not among the values in its own required tags, for tenant"
        + " `erp`; accepted: a value that matches one of `47*`, `${tenant.id}`"),
    .init(
      #""tags":{"required":[{"key":"K","values":["${tenant.labels.code}"],"default":"1"}]}"#,
      "the value of the tag `K` that is put in is not among the values in its own required tags, for tenant"
        + " `crm`; accepted: a value that matches one of `${tenant.labels.code}`"),
  ]

  @Test(arguments: contradictions)
  func whatAPolicyPutsInAndRefusesIsAnError(_ example: Contradiction) throws {
    #expect(
      try compile([policy(example.rules)], tenants: Self.tenants).1.map { "\($0.severity): \($0.message)" }
        == example.messages.map { "error: \($0)" })
    // Promoted it would be wrong, and as it is it changes nothing.
    #expect(
      try compile([policy(example.rules, mode: "warn")], tenants: Self.tenants).1.map(\.severity)
        == example.messages.map { _ in .warning })
    #expect(try compile([policy(example.rules, mode: "off")], tenants: Self.tenants).1.isEmpty)
    let nobody = policy(example.rules, match: #"{"tenants":[]}"#)
    #expect(try compile([nobody], tenants: Self.tenants).1.isEmpty)
  }

  @Test func theErrorIsWhereTheValueStands() throws {
    let problems = try compile([policy(#""expiration":{"maxDays":20,"defaultDays":30}"#)]).1
    #expect(
      problems.map(\.line) == [
        "policies/p0.json:1:93: error: the default of 30 days is above its own maxDays, 20; accepted: at most 20 days"
      ])
  }

  @Test(arguments: [
    // Set tags are exempt from their own policy's allowedKeys, required ones that are set too.
    #""tags":{"required":[{"key":"K","default":"a"}],"set":{"K":"b"},"allowedKeys":["L"]}"#,
    // Of a default that is always written over, nothing is left to be refused.
    #""tags":{"required":[{"key":"K","values":["b"],"default":"a"}],"set":{"K":"b"}}"#,
    // Known to match, whatever is put in.
    #""tags":{"required":[{"key":"K","values":["${tenant.labels.code}"],"default":"${tenant.labels.code}"}]}"#,
    #""tags":{"required":[{"key":"K","values":["x-${request.appInstanceId}"],"default":"x-${request.appInstanceId}"}]}"#,
    // Known by the request alone.
    #""tags":{"required":[{"key":"K","pattern":"a","values":["a"],"default":"${request.appInstanceId}"}]}"#,
    #""tags":{"required":[{"key":"K","values":["${request.appInstanceId}"],"default":"a"}]}"#,
    // One tag for both.
    #""tags":{"required":[{"key":"K","default":"a"},{"key":"k","default":"a"}],"maxCount":1}"#,
    #""tags":{"required":[{"key":"K"}],"set":{"K":"a"},"maxCount":1}"#,
    #""expiration":{"maxDays":20,"defaultDays":30,"onExcess":"clamp"}"#,
  ])
  func whatKeepsItsOwnRulesIsNone(_ rules: String) throws {
    let errors = try compile([policy(rules)], tenants: Self.tenants).1.filter { $0.severity == .error }
    #expect(errors.isEmpty)
  }

  @Test(arguments: [#"{"key":"K"},{"key":"L"}"#, #"{"key":"K"},{"key":"L","default":"l"}"#])
  func moreThanMaxCountAskedOfCallersIsAWarning(_ required: String) throws {
    #expect(
      try compile([policy(#""tags":{"required":[\#(required)],"maxCount":1}"#)]).1.map {
        "\($0.severity): \($0.message)"
      }
        == [
          "warning: the policy requires and puts in 2 tags, and its own maxCount is 1; accepted: a maxCount of at least 2"
        ])
  }

  @Test func moreTagsThanTheServiceTakesAreAnError() throws {
    let set = (0..<51).map { #""k\#($0)":"v""# }.joined(separator: ",")
    #expect(
      try compile([policy(#""tags":{"set":{\#(set)}}"#)]).1.map(\.message) == [
        "the policy puts in 51 tags, which the service does not take; accepted: at most 50 tags"
      ])
  }

  @Test func tagsAreOnlyPutInOnCreation() throws {
    let rules = #""tags":{"required":[{"key":"K","values":["a"],"default":"b"}]}"#
    #expect(try compile([policy(rules, match: #"{"operations":["TagResource"]}"#)]).1.isEmpty)
  }
}
