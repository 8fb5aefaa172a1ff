import Testing

@testable import ChimeIdentity
import Primitives
import StrictJSON
import TestSupport

@Suite struct ModelValidatorTests {
  static let base = #""AppInstanceArn":"\#(Sample.app)","AppInstanceUserId":"crm-alice","Name":"Alice""#

  /// Each body of CreateAppInstanceUser, after the required members, and the message that it gets.
  @Test(arguments: [
    (#"{}"#, "`AppInstanceArn` is required"),
    (#"[]"#, "the body must be an object"),
    (#"null"#, "the body must not be null"),
    (#"{\#(base),"Nme":1}"#, "`Nme` is not a member of this operation's input; did you mean `Name`?"),
    (#"{\#(base),"name":"x"}"#, "`name` is not a member of this operation's input; did you mean `Name`?"),
    (
      #"{\#(base),"Tags":[{"Key":"a","Value":"b"},{"Key":"","Value":"b"}]}"#,
      "`Tags[1].Key` must have 1 to 128 characters"
    ),
    (#"{\#(base),"Tags":[{"Key":"a"}]}"#, "`Tags[0].Value` is required"),
    (#"{\#(base),"Tags":[{"Key":"a","Value":null}]}"#, "`Tags[0].Value` is required"),
    (#"{\#(base),"Tags":[]}"#, "`Tags` must have 1 to 50 elements"),
    (#"{\#(base),"Tags":{}}"#, "`Tags` must be a list"),
    (#"{\#(base),"Tags":[null]}"#, "`Tags[0]` must not be null"),
    (
      #"{\#(base),"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"1"},{"Key":"\u0061","Value":"2"}]}"#,
      "`Tags[2].Key` is the same key as `Tags[0].Key`; each may be given once"
    ),
    (
      #"{\#(base),"ClientRequestToken":"x y"}"#,
      "`ClientRequestToken` must be made of letters, digits, `-` and `_`"
    ),
    (#"{\#(base),"ClientRequestToken":"x"}"#, "`ClientRequestToken` must have 2 to 64 characters"),
    (#"{\#(base),"Metadata":5}"#, "`Metadata` must be a string"),
    (
      #"{\#(base),"ExpirationSettings":{"ExpirationDays":30.0,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#,
      "`ExpirationSettings.ExpirationDays` must be a whole number"
    ),
    (
      #"{\#(base),"ExpirationSettings":{"ExpirationDays":3e1,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#,
      "`ExpirationSettings.ExpirationDays` must be a whole number"
    ),
    (
      #"{\#(base),"ExpirationSettings":{"ExpirationDays":5476,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#,
      "`ExpirationSettings.ExpirationDays` must be a whole number from 1 to 5475"
    ),
    (
      #"{\#(base),"ExpirationSettings":{"ExpirationDays":30,"ExpirationCriterion":"LAST"}}"#,
      "`ExpirationSettings.ExpirationCriterion` must be one of CREATED_TIMESTAMP"
    ),
    (
      #"{\#(base),"ExpirationSettings":{"ExpirationDays":30}}"#,
      "`ExpirationSettings.ExpirationCriterion` is required"
    ),
  ])
  func aViolationNamesTheMemberAndWhatIsAccepted(_ body: String, _ message: String) throws {
    #expect(try violation("POST", "/app-instance-users", body)?.message == message)
  }

  @Test(arguments: [
    #"{\#(base)}"#,
    #"{\#(base),"ClientRequestToken":null,"Metadata":null,"Tags":null,"ExpirationSettings":null}"#,
    #"{\#(base),"Metadata":"{\n\t\"a\": 1\n}"}"#,
    #"{\#(base),"Tags":[{"Key":"a","Value":"1"},{"Key":"A","Value":"1"}]}"#,
    #"{\#(base),"Tags":[{"Key":"\u00e9","Value":"1"},{"Key":"e\u0301","Value":"1"}]}"#,
  ])
  func whatTheModelAllowsPasses(_ body: String) throws {
    #expect(try violation("POST", "/app-instance-users", body) == nil)
  }

  @Test func aNameOfBlanksIsRefusedAndItsValueNotRepeated() throws {
    let body = #"{"AppInstanceArn":"\#(Sample.app)","AppInstanceUserId":"secret id","Name":" \n\t "}"#
    #expect(
      try violation("POST", "/app-instance-users", body)?.message
        == "`AppInstanceUserId` must be letters, digits and `:-_.@`, beginning and ending with a letter or digit"
    )
  }

  @Test func aMissingBodyLacksItsRequiredMembers() throws {
    #expect(try violation("POST", "/app-instance-users")?.message == "`AppInstanceArn` is required")
    #expect(try violation("PUT", "/app-instance-users/\(Sample.encodedUser)/expiration-settings") == nil)
  }

  @Test func anOperationWithoutBodyMembersTakesAnEmptyObjectAtMost() throws {
    let target = "/app-instance-users/\(Sample.encodedUser)"
    #expect(try violation("GET", target) == nil)
    #expect(try violation("GET", target, "{}") == nil)
    for body in [#"{"Name":"x"}"#, "[]", "null", "1", #"{"AppInstanceUserArn":"\#(Sample.user)"}"#] {
      #expect(try violation("DELETE", target, body)?.message == "this operation takes no body")
    }
  }

  @Test func aPathMemberInTheBodyIsUnknown() throws {
    let body = #"{"Name":"x","Metadata":"","AppInstanceUserArn":"\#(Sample.user)"}"#
    let found = try violation("PUT", "/app-instance-users/\(Sample.encodedUser)", body)
    #expect(found?.message == "`AppInstanceUserArn` is not a member of this operation's input")
  }

  @Test(arguments: [
    ("GET", "/app-instance-users", "`AppInstanceArn` is required"),
    ("GET", "/app-instances?max-results=0", "`MaxResults` must be a whole number from 1 to 50"),
    ("GET", "/app-instances?max-results=51", "`MaxResults` must be a whole number from 1 to 50"),
    ("GET", "/app-instances?max-results=05", "`MaxResults` must be a whole number"),
    ("GET", "/app-instances?max-results=-1", "`MaxResults` must be a whole number"),
    ("GET", "/app-instances?max-results=", "`MaxResults` must be a whole number"),
    ("GET", "/app-instances?max-results=99999999999999999999", "`MaxResults` must be a whole number"),
    (
      "GET", "/app-instances?max-results=5&max-results=6",
      "query parameter `max-results` must not be given twice"
    ),
    ("GET", "/app-instances?MaxResults=5", "`MaxResults` is not a query parameter of this operation"),
    ("GET", "/tags", "`ResourceARN` is required"),
    (
      "GET", "/tags?arn=nonsense",
      "`ResourceARN` must be an ARN (`arn:partition:service:region:account:resource`)"
    ),
    (
      "GET", "/app-instance-users/nonsense",
      "`AppInstanceUserArn` must be an ARN (`arn:partition:service:region:account:resource`)"
    ),
  ])
  func pathAndQueryMembersAreValidated(_ method: String, _ target: String, _ message: String) throws {
    #expect(try violation(method, target)?.message == message)
  }

  @Test func theDiscriminatorIsNoUnknownParameter() throws {
    let body = #"{"ResourceARN":"\#(Sample.user)","TagKeys":["a"]}"#
    #expect(try violation("POST", "/tags?operation=untag-resource", body) == nil)
    #expect(
      try violation("POST", "/tags?operation=untag-resource&x=", body)?.message
        == "`x` is not a query parameter of this operation")
  }

  @Test func aLongUnknownNameIsQuotedInPart() throws {
    let name = String(repeating: "ü", count: 1000)
    let found = try violation("POST", "/app-instance-users", #"{"\#(name)":1}"#)
    #expect(found?.member == String(repeating: "ü", count: 64) + "…")
  }

  @Test func anEscapedMemberNameIsTheMember() throws {
    let escaped = Self.base.replacing("Name", with: #"N\u0061me"#)
    #expect(try violation("POST", "/app-instance-users", "{\(escaped)}") == nil)
    let unknown = #"{\#(Self.base),"N\u006de":1}"#
    #expect(
      try violation("POST", "/app-instance-users", unknown)?.message
        == "`Nme` is not a member of this operation's input; did you mean `Name`?")
    let tag = #"{\#(Self.base),"Tags":[{"K\u0065y":"a","Value":"1"},{"Key":"a","V\u0061lue":"2"}]}"#
    #expect(
      try violation("POST", "/app-instance-users", tag)?.message
        == "`Tags[1].Key` is the same key as `Tags[0].Key`; each may be given once")
  }

  /// Metadata has at most 1024 characters; how many bytes or escapes they take does not matter.
  @Test(arguments: ["a", "é", "漢", "😀", #"\n"#, #"\u00e9"#, #"\uD83D\uDE00"#])
  func lengthIsCountedInCharacters(_ character: String) throws {
    for (count, isAllowed) in [(0, true), (1, true), (1024, true), (1025, false)] {
      let value = String(repeating: character, count: count)
      let found = try violation("POST", "/app-instance-users", #"{\#(Self.base),"Metadata":"\#(value)"}"#)
      #expect(found?.message == (isAllowed ? nil : "`Metadata` must have at most 1024 characters"))
      let tag = #"{\#(Self.base),"Tags":[{"Key":"k","Value":"\#(value)"}]}"#
      let inTag = try violation("POST", "/app-instance-users", tag)
      #expect(
        inTag?.message
          == (count == 1 ? nil : "`Tags[0].Value` must have 1 to 256 characters"))
    }
  }

  @Test func repeatedTagKeysAreFoundWhereverTheyStand() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      let keys = (0..<Int(generator.next() % 50) + 1).map { _ in
        String(repeating: "k", count: Int(generator.next() % 6) + 1) + String(generator.next() % 40)
      }
      let tags = keys.map { key in
        generator.next() % 8 == 0
          ? #"{"Value":"v","Key":"\u006b\#(key.dropFirst())"}"# : #"{"Key":"\#(key)","Value":"v"}"#
      }
      let body = #"{\#(Self.base),"Tags":[\#(tags.joined(separator: ","))]}"#
      let later = keys.indices.first { keys[..<$0].contains(keys[$0]) }
      let expected = later.map { index in
        let first = keys.firstIndex(of: keys[index]) ?? 0
        return "`Tags[\(index)].Key` is the same key as `Tags[\(first)].Key`; each may be given once"
      }
      #expect(try violation("POST", "/app-instance-users", body)?.message == expected)
    }
  }
}
