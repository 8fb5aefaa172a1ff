import Configuration
import Patterns
import Primitives
import Testing

@testable import PolicyEngine

/// The policies and effective policies of AWS Organizations' user guide, "Inheritance examples"
/// (https://docs.aws.amazon.com/organizations/latest/userguide/inheritance-examples.html) and "Tag policy syntax and
/// examples" (…/orgs_manage_policies_example-tag-policies.html). Resource types of other services are exchanged for
/// ours where the effective policy shows them.
@Suite struct TagPolicyInheritanceTests {
  static let a = #"""
    {"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["Development","Support"]}}}}
    """#
  static let b = #"""
    {"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["Sandbox"]},
    "enforced_for":{"@@assign":["chime:app-instance-user","dynamodb:table"]}}}}
    """#
  static let c = #"""
    {"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@append":["Marketing"]},
    "enforced_for":{"@@append":["chime:app-instance-user","dynamodb:table"]}}}}
    """#
  /// With `enforced_for` inside of `tag_value`, as AWS prints it.
  static let d = #"""
    {"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@remove":["Development","Marketing"],
    "enforced_for":{"@@remove":["chime:app-instance-user","dynamodb:table"]}}}}}
    """#
  static let e = #"""
    {"tags":{"project":{
    "tag_key":{"@@operators_allowed_for_child_policies":["@@none"],"@@assign":"Project"},
    "tag_value":{"@@operators_allowed_for_child_policies":["@@append"],"@@assign":["Maintenance","Escalations"]}}}}
    """#
  static let f = #"""
    {"tags":{"project":{"tag_key":{"@@assign":"PROJECT"},"tag_value":{"@@append":["Escalations - research"]}}}}
    """#
  static let g = #"""
    {"tags":{"project":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append"],"@@assign":["Maintenance"]}}}}
    """#
  static let h = #"""
    {"tags":{"project":{"tag_value":{"@@operators_allowed_for_child_policies":["@@append","@@remove"]}}}}
    """#
  static let removal = #"""
    {"tags":{"project":{"tag_value":{"@@remove":["Maintenance"],"@@append":["Escalations"]}}}}
    """#
  static let keyCases = #"""
    {"tags":{"CostCenter":{"tag_key":{"@@assign":"CostCenter","@@operators_allowed_for_child_policies":["@@none"]}},
    "Project":{"tag_key":{"@@assign":"Project","@@operators_allowed_for_child_policies":["@@none"]}}}}
    """#
  static let valuesOnly = #"""
    {"tags":{"CostCenter":{"tag_value":{"@@assign":["Production","Test"]}},"Project":{"tag_value":{"@@assign":["A","B"]}}}}
    """#

  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let levels: [String]
    let effective: [String]
  }

  static let examples: [Example] = [
    .init(testDescription: "1: assign", levels: [a, b], effective: ["CostCenter=Sandbox user"]),
    .init(
      testDescription: "2: append", levels: [a, c],
      effective: ["CostCenter=Development,Support,Marketing user"]
    ),
    .init(testDescription: "3: remove", levels: [a, c, d], effective: ["CostCenter=Support"]),
    // The page shows the key as "project" here, and says above that policy F cannot change policy E's `Project`.
    .init(
      testDescription: "4: restrict child policies", levels: [e, f],
      effective: ["Project=Maintenance,Escalations,Escalations - research"]),
    .init(
      testDescription: "5: child control cannot be widened", levels: [g, h, removal],
      effective: ["project=Maintenance,Escalations"]),
    .init(
      testDescription: "keys from the root, values from the account", levels: [keyCases, valuesOnly],
      effective: ["CostCenter=Production,Test", "Project=A,B"]),
  ]

  @Test(arguments: examples)
  func levelsMergeAsAWSPublishesIt(_ example: Example) throws {
    #expect(try Self.effective(example.levels) == example.effective)
  }

  @Test func childControlOfAKeyOrOfAllKeysHoldsForTheirSettings() throws {
    let none = #""@@operators_allowed_for_child_policies":["@@none"]"#
    let child = #"""
      {"tags":{"A":{"tag_key":{"@@assign":"A"},"tag_value":{"@@append":["z"]},"enforced_for":{"@@append":["chime:*"]}},
      "B":{"tag_value":{"@@assign":["b"]}}}}
      """#
    let key = #"{"tags":{"a":{"tag_value":{"@@assign":["x"]},\#(none)}}}"#
    #expect(try Self.effective([key, child]) == ["a=x", "b=b"])
    let all = #"{"tags":{"a":{"tag_value":{"@@assign":["x"]}},\#(none)}}"#
    #expect(try Self.effective([all, child]) == ["a=x", "b"])
  }

  @Test func whatIsRemovedBeforeItWasGivenChangesNothing() throws {
    let removal = #"{"tags":{"A":{"tag_value":{"@@remove":["x"]}}}}"#
    #expect(try Self.effective([removal]) == ["a"])
  }

  /// `KEY=VALUE,VALUE user` of each tag key.
  private static func effective(_ levels: [String]) throws -> [String] {
    let files = levels.enumerated().map { ("\($0.offset).tag-policy.json", $0.element) }
    return try documents(Dictionary(uniqueKeysWithValues: files)).compactMap(\.tagPolicy).map { policy in
      let values = policy.values.map { "=" + $0.map(\.source.string).joined(separator: ",") } ?? ""
      return "\(policy.key)\(values)\(policy.enforcedFor == .user ? " user" : "")"
    }
  }
}
