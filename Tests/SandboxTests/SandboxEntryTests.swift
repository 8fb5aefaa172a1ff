import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

/// Lines of a sandbox's file, carried out again.
@Suite struct SandboxEntryTests {
  /// What a sandbox wrote that had users and AppInstances alone.
  private static let earlier = [
    #"{"method":"POST","path":"/app-instance-users","query":"","body":"{\"AppInstanceArn\":\"\#(appArn)\",\"AppInstanceUserId\":\"a\",\"Name\":\"A\",\"ClientRequestToken\":\"t1\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}","time":1795438800000000000,"random":[]}"#,
    #"{"method":"POST","path":"/app-instances","query":"","body":"{\"Name\":\"crm\",\"ClientRequestToken\":\"app-1\"}","time":1795438800000000000,"random":[-1,1]}"#,
    #"{"method":"PUT","path":"/app-instance-users/\#(encoded("\(appArn)/user/a"))","query":"","body":"{\"Name\":\"B\",\"Metadata\":\"m\"}","time":1795438801000000000,"random":[]}"#,
    #"{"method":"POST","path":"/tags","query":"operation=tag-resource","body":"{\"ResourceARN\":\"\#(appArn)/user/a\",\"Tags\":[{\"Key\":\"l\",\"Value\":\"w\"}]}","time":1795438802000000000,"random":[]}"#,
  ]

  @Test func whatAnEarlierVersionWroteIsThere() throws {
    var sandbox = SandboxUnderTest()
    for line in Self.earlier {
      let entry = try #require(SandboxEntry(line: Array(line.utf8)))
      #expect(entry.line == Array(line.utf8) + [UInt8(ascii: "\n")])
      let isDone = sandbox.service.redo(entry)
      #expect(isDone)
    }
    let user = try sandbox.describe("\(appArn)/user/a")
    #expect(user["Name"] as? String == "B")
    #expect(user["LastUpdatedTimestamp"] as? Double == 1_795_438_801)
    #expect(try sandbox.tags(of: "\(appArn)/user/a") == ["k": "v", "l": "w"])
    let created = "arn:aws:chime:us-east-1:123456789012:app-instance/ffffffff-ffff-4fff-8000-000000000001"
    let listed = try sandbox.pages("/app-instances", "AppInstances", by: 50)
    #expect(listed.compactMap { $0["AppInstanceArn"] as? String } == [appArn, created])
  }

  /// A sandbox without quotas may have answered more calls than this one would.
  @Test func quotasDoNotUndoWhatWasAnswered() throws {
    var sandbox = SandboxUnderTest()
    for index in 0..<101 {
      let entry = try #require(
        SandboxEntry(
          line: Array(
            #"{"method":"POST","path":"/app-instances","query":"","body":"{\"Name\":\"a\",\"ClientRequestToken\":\"app-\#(index)\"}","time":0,"random":[\#(index),1]}"#
              .utf8)))
      let isDone = sandbox.service.redo(entry)
      #expect(isDone)
    }
    #expect(sandbox.service.appInstances.count == 101)
    #expect(failure { try sandbox.createAppInstance(token: "another") } == .resourceLimitExceeded)
  }
}
