import Testing

@testable import ChimeIdentity
import Primitives
import StrictJSON

@Suite struct ConfinementTests {
  @Test(arguments: [
    ("", ChimeARN.Resource.appInstance, nil as Text?),
    ("/user/crm-alice@example.com", .user, "crm-alice@example.com"),
    ("/user/a:b", .user, "a:b"),
    ("/bot/5b9cbb9e-8c2f-4f4f-8f63-3d9b6a1f2f10", .bot, "5b9cbb9e-8c2f-4f4f-8f63-3d9b6a1f2f10"),
    ("/channel/Z9", .channel, "Z9"), ("/channel-flow/1", .channelFlow, "1"),
  ])
  func anExactARNNamesItsAppInstance(_ suffix: String, _ resource: ChimeARN.Resource, _ id: Text?) throws {
    let arn = try #require(ChimeARN(Text(Sample.app + suffix)))
    #expect(arn.resource == resource)
    #expect(arn.resourceId == id)
    #expect(arn.appInstanceArn.string == Sample.app)
    #expect(arn.appInstanceId == "0f4bd6bf-4c3a-4f0e-9d3a-5f1c2f6f3b11")
    #expect(arn.region == "us-east-1")
    let text = arn.text.utf8
    let found = ChimeARNParts(text.span)
    let parts = try #require(found)
    #expect(parts.appInstanceArn == ByteSlice(0..<Sample.app.utf8.count))
    #expect(parts.resourceId.map { Text(uncheckedUTF8: Array(text[$0.range])) } == id)
  }

  @Test(arguments: [
    "", "arn", "arn:aws:chime:us-east-1:123456789012:app-instance/",
    "arn:aws:chime:us-east-1:123456789012:app-instance",
    "arn:aws:chime:us-east-1:12345678901:app-instance/a",
    "arn:aws:chime:us-east-1:1234567890123:app-instance/a",
    "arn:aws:chime:us-east-1::app-instance/a", "arn:aws:chime::123456789012:app-instance/a",
    "arn:aws:mobiletargeting:us-east-1:123456789012:app-instance/a",
    "arn::chime:us-east-1:123456789012:app-instance/a", " \(Sample.app)", "\(Sample.app) ", "\(Sample.app)\n",
    "\(Sample.app)/", "\(Sample.app)/user", "\(Sample.app)/user/", "\(Sample.app)//user/a",
    "\(Sample.app)/user//a", "\(Sample.app)/user/a/", "\(Sample.app)/user/a/b", "\(Sample.app)/User/a",
    "\(Sample.app)/users/a", "\(Sample.app)/user/../b", "\(Sample.app)/user/a%2Fb", "\(Sample.app)/user/..",
    "\(Sample.app)/user/-a", "\(Sample.app)/user/a-", "\(Sample.app)/user/a b", "\(Sample.app)/user/ä",
    "\(Sample.app)/../b/user/a", "arn:aws:chime:us-east-1:123456789012:app-instance/../x",
    "arn:aws:chime:us-east-1:123456789012:app-instance/A",
    "ARN:aws:chime:us-east-1:123456789012:app-instance/a",
    "arn:aws:chime:us-east-1:123456789012:app-instance/a*",
    "arn:aws:chime:us-east-1:123456789012:app-instance%2Fa",
    "arn:aws:chime:us-east-1:123456789012:/app-instance/a",
    "\(Sample.app)/user/\(String(repeating: "a", count: 65))",
  ])
  func whatIsNotInExactFormIsNoARN(_ text: String) {
    #expect(ChimeARN(Text(text)) == nil)
  }

  @Test(arguments: [
    // Acceptable to the model, but nobody can be confined to them.
    ("GET", "/app-instance-users/\(Sample.encoded(Sample.app + "/user/a/b"))", ""),
    ("GET", "/app-instance-users/\(Sample.encoded(Sample.app))", ""),
    ("GET", "/app-instance-users/\(Sample.encoded(Sample.app + "/bot/b"))", ""),
    ("GET", "/app-instance-bots/\(Sample.encodedUser)", ""),
    ("GET", "/app-instances/\(Sample.encodedUser)", ""),
    ("GET", "/app-instance-users?app-instance-arn=\(Sample.encodedUser)", ""),
    ("GET", "/tags?arn=\(Sample.encoded("arn:aws:s3:::bucket"))", ""),
    ("POST", "/app-instance-users", #"{"AppInstanceArn":"\#(Sample.user)"}"#),
    (
      "POST", "/app-instance-users",
      #"{"AppInstanceArn":"arn:aws:chime:us-east-1:123456789012:app-instance/A"}"#
    ),
    ("POST", "/tags?operation=tag-resource", #"{"ResourceARN":"\#(Sample.app)//user/a"}"#),
  ])
  func anARNThatCannotConfineIsASubjectWithoutAppInstance(
    _ method: String, _ target: String, _ body: String
  ) throws {
    let document = try body.isEmpty ? nil : JSONDocument(parsing: Array(body.utf8))
    let subjects = try confinementSubjects(of: identify(method, target), document: document)
    #expect(subjects.map(\.arn) == [nil])
  }

  @Test(arguments: [
    ("GET", "/app-instance-users/nonsense", ""), ("POST", "/app-instance-users", #"{"AppInstanceArn":5}"#),
    ("POST", "/app-instance-users", #"{"AppInstanceArn":"nonsense"}"#),
    ("POST", "/app-instance-users", #"{"AppInstanceArn":""}"#),
    ("GET", "/tags?arn=\(Sample.encodedUser)&arn=\(Sample.encodedUser)", ""),
  ])
  func whatBreaksTheModelIsAViolationBeforeConfinement(
    _ method: String, _ target: String, _ body: String
  ) throws {
    let document = try body.isEmpty ? nil : JSONDocument(parsing: Array(body.utf8))
    let call = try identify(method, target)
    #expect(throws: ModelViolation.self) {
      try confinementSubjects(of: call, document: document)
    }
  }

  @Test func subjectsAreShownWhereTheyStand() throws {
    let escaped = #"{"AppInstanceAdminArn":"\#(Sample.user.replacing("user", with: #"us\u0065r"#))"}"#
    let call = try identify("POST", "/app-instances/\(Sample.encoded(Sample.app))/admins")
    var seen: [String] = []
    let document = try JSONDocument(parsing: Array(escaped.utf8))
    try ModelValidator.visitConfinementSubjects(of: call, document: document) { member, value, arn in
      seen.append("\(member) \(value.uncheckedText) \(arn.map { "\($0.resource)" } ?? "-")")
    }
    #expect(seen == ["AppInstanceAdminArn \(Sample.user) user", "AppInstanceArn \(Sample.app) appInstance"])
  }

  @Test func resourcesOfOtherServicesDoNotConfine() throws {
    let body = #"{"ResourceArn":"arn:aws:mobiletargeting:us-east-1:123456789012:apps/1"}"#
    let subjects = try confinementSubjects(
      of: identify("POST", "/app-instance-users/\(Sample.encodedUser)/endpoints"),
      document: JSONDocument(parsing: Array(body.utf8)))
    #expect(subjects.map(\.member) == ["AppInstanceUserArn"])
  }
}
