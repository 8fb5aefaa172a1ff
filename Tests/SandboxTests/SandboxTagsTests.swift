import Testing

@testable import Sandbox
import ChimeIdentity

@Suite struct SandboxTagsTests {
  private var sandbox = SandboxUnderTest()

  @Test mutating func tagsAreSetListedAndRemoved() throws {
    let arn = try sandbox.createUser(
      "a", more: #","Tags":[{"Key":"k1","Value":"1"},{"Key":"k2","Value":"2"}]"#)
    let added = #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"k2","Value":"new"},{"Key":"k3","Value":"3"}]}"#
    #expect(try sandbox.call("POST", "/tags?operation=tag-resource", added).isEmpty)
    #expect(try sandbox.tags(of: arn) == ["k1": "1", "k2": "new", "k3": "3"])
    _ = try sandbox.call(
      "POST", "/tags?operation=untag-resource", #"{"ResourceARN":"\#(arn)","TagKeys":["k1","k9"]}"#)
    #expect(try sandbox.tags(of: arn) == ["k2": "new", "k3": "3"])
  }

  @Test mutating func aResourceHasAtMostFiftyTags() throws {
    let arn = try sandbox.createUser("a", more: #","Tags":[{"Key":"first","Value":"1"}]"#)
    let fifty = (0..<50).map { #"{"Key":"k\#($0)","Value":"v"}"# }.joined(separator: ",")
    #expect(
      failure {
        _ = try sandbox.call(
          "POST", "/tags?operation=tag-resource", #"{"ResourceARN":"\#(arn)","Tags":[\#(fifty)]}"#)
      } == .resourceLimitExceeded)
    #expect(try sandbox.tags(of: arn) == ["first": "1"])
  }

  @Test mutating func whateverHasAnARNHasTags() throws {
    let app = try sandbox.createAppInstance()
    for arn in [app, try sandbox.createUser("a", app: app), try sandbox.createBot(app: app)] {
      _ = try sandbox.call(
        "POST", "/tags?operation=tag-resource",
        #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"k1","Value":"1"},{"Key":"k2","Value":"2"}]}"#)
      _ = try sandbox.call(
        "POST", "/tags?operation=untag-resource", #"{"ResourceARN":"\#(arn)","TagKeys":["k1"]}"#)
      #expect(try sandbox.tags(of: arn) == ["k2": "2"])
    }
  }

  @Test mutating func whatIsNotThereHasNone() throws {
    let app = try sandbox.createAppInstance()
    for (arn, error) in [
      ("\(app)/user/a", .notFound), ("\(app)/bot/a", .notFound), ("\(app)/channel/a", .forbidden),
      (appArn, .forbidden), ("\(appArn)/bot/a", .forbidden), ("arn:aws:s3:::bucket", .forbidden),
    ] as [(String, ServiceError)] {
      #expect(failure { _ = try sandbox.tags(of: arn) } == error)
      #expect(
        failure {
          _ = try sandbox.call(
            "POST", "/tags?operation=untag-resource", #"{"ResourceARN":"\#(arn)","TagKeys":["k1"]}"#)
        } == error)
    }
  }
}
