import Primitives
import Testing

@testable import PolicyEngine

@Suite struct ExpirationAndMetadataRuleTests {
  static let field = "ExpirationSettings.ExpirationDays"

  static let expirationCases: [RuleCase] = [
    RuleCase("exactly the least", #""expiration":{"minDays":7}"#, createBody(days: 7)),
    RuleCase(
      "one below the least", #""expiration":{"minDays":7}"#, createBody(days: 6),
      "expiration.minDays \(field)"),
    RuleCase("exactly the most", #""expiration":{"maxDays":90}"#, createBody(days: 90)),
    RuleCase(
      "one above the most", #""expiration":{"maxDays":90}"#, createBody(days: 91),
      "expiration.maxDays \(field)"),
    RuleCase("limits say nothing of none", #""expiration":{"minDays":7,"maxDays":90}"#, createBody()),
    RuleCase(
      "required", #""expiration":{"required":true}"#, createBody(), "expiration.required ExpirationSettings"),
    RuleCase("required and there", #""expiration":{"required":true}"#, createBody(days: 5475)),
    RuleCase("not required", #""expiration":{"required":false}"#, createBody()),
    RuleCase("a default is enough", #""expiration":{"required":true,"defaultDays":30}"#, createBody()),
    RuleCase(
      "clamping never denies", #""expiration":{"maxDays":10,"onExcess":"clamp"}"#, createBody(days: 5475)),
    RuleCase(
      "clamping does not lift", #""expiration":{"minDays":5,"maxDays":10,"onExcess":"clamp"}"#,
      createBody(days: 4), "expiration.minDays \(field)"),
  ]

  @Test(arguments: expirationCases)
  func rulesOnExpiration(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  static let metadataCases: [RuleCase] = [
    RuleCase("exactly the most", #""metadata":{"maxBytes":4}"#, createBody(metadata: "\u{1F600}")),
    RuleCase(
      "bytes, not characters", #""metadata":{"maxBytes":4}"#, createBody(metadata: "\u{1F600}a"),
      "metadata.maxBytes Metadata"),
    RuleCase("none at all", #""metadata":{"maxBytes":0,"format":"json","forbidden":["."]}"#, createBody()),
    RuleCase("empty", #""metadata":{"maxBytes":0}"#, createBody(metadata: "")),
    RuleCase("object", #""metadata":{"format":"json"}"#, createBody(metadata: #" {"a": [1, null]} "#)),
    RuleCase("a scalar is JSON", #""metadata":{"format":"json"}"#, createBody(metadata: "1")),
    RuleCase(
      "empty is not JSON", #""metadata":{"format":"json"}"#, createBody(metadata: ""),
      "metadata.format Metadata"),
    RuleCase(
      "single quotes", #""metadata":{"format":"json"}"#, createBody(metadata: "{'a':1}"),
      "metadata.format Metadata"),
    RuleCase(
      "more than one text", #""metadata":{"format":"json"}"#, createBody(metadata: "{} {}"),
      "metadata.format Metadata"),
    RuleCase(
      "a key twice", #""metadata":{"format":"json"}"#, createBody(metadata: #"{"a":1,"a":2}"#),
      "metadata.format Metadata"),
    RuleCase("text may be anything", #""metadata":{"format":"text"}"#, createBody(metadata: "{'a'")),
    RuleCase(
      "forbidden", #""metadata":{"forbidden":["[\\w.]+@[\\w.]+"]}"#, createBody(metadata: #"{"m":"a@b.c"}"#),
      "metadata.forbidden Metadata"),
    RuleCase(
      "forbidden behind a line break", #""metadata":{"forbidden":["secret"]}"#,
      createBody(metadata: "{\n\"secret\": 1\n}"), "metadata.forbidden Metadata"),
  ]

  @Test(arguments: metadataCases)
  func rulesOnMetadata(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  @Test func messagesDoNotRepeatMetadata() throws {
    let secret = "hunter2 is my password"
    let outcome = try decide(
      [policy(#""metadata":{"maxBytes":3,"format":"json","forbidden":["hunter"]}"#)],
      createBody(metadata: secret))
    #expect(outcome.violations.count == 3)
    for violation in outcome.decision.violations {
      #expect(!violation.message.contains("hunter2"), "\(violation)")
    }
  }

  /// Metadata, and why it is not taken. Some of it is JSON by RFC 8259, so the reason matters; what stands in it is
  /// nobody's to read in a log.
  @Test(arguments: [
    (
      String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
      "nested deeper than 32 levels, at byte 32"
    ),
    ("1e999", "number too large, at byte 0"), (#"["\u0000"]"#, "NUL (`\\u0000`) in a string, at byte 2"),
    (#"{"hunter2":1,"hunter2":2}"#, "duplicate key, at byte 13"),
    (#"{"hunter2"Q}"#, "expected `:`, at byte 10"),
    ("hunter2", "expected a value, at byte 0"),
    ("[\"hunter2\u{7}\"]", "control byte in a string; write it as an escape, at byte 9"),
    ("", "empty text, at byte 0"),
  ])
  func whatCannotBeReadAsJSONIsSaidWithTheReason(_ metadata: String, _ reason: String) throws {
    let outcome = try decide([policy(#""metadata":{"format":"json"}"#)], createBody(metadata: metadata))
    #expect(
      outcome.decision.violations.map(\.message) == [
        "the value cannot be read as JSON: \(reason); accepted: one JSON text (RFC 8259) without duplicate keys and"
          + " NUL, with numbers within 64-bit integers and doubles, nested at most 32 levels deep"
      ])
  }
}
