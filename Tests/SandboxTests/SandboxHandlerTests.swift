import Foundation
import Testing

import HTTPWire
import OpenSSLCrypto
import Primitives
@testable import Sandbox
import SigV4
import Synchronization
import TestSupport
import Transport

/// Requests that botocore signed (Tests/Fixtures/chime/generate.py) against the whole front.
@Suite struct SandboxHandlerTests {
  @Test func whatBotocoreSignsIsServed() throws {
    let handler = Self.handler()
    #expect(try Self.send("CreateAppInstanceUser", to: handler).status == 201)
    let described = try Self.send("DescribeAppInstanceUser", to: handler)
    #expect(described.status == 200)
    #expect(described.body.contains(#""Name":"Alice Übermut""#))
    #expect(try Self.send("ListAppInstanceUsers", to: handler).status == 200)
    #expect(try Self.send("TagResource", to: handler).body.isEmpty)
    let created = try Self.send("CreateAppInstance", to: handler)
    #expect(created.status == 201)
    let fields = created.fieldLines.lowercased()
    #expect(fields.contains("content-type: application/json\r\n"))
    #expect(fields.contains("x-amzn-requestid: "))
  }

  /// Each with what is replaced in the request, and the answer.
  @Test(arguments: [
    ("Alice", "Alise", 403, "InvalidSignatureException"),
    ("T130000Z", "T130001Z", 403, "InvalidSignatureException"),
    ("us-east-1/chime", "eu-west-1/chime", 403, "InvalidSignatureException"),
    ("AKIDEXAMPLE", "AKIDOTHER", 403, "UnrecognizedClientException"),
    ("Authorization", "X-Nothing", 403, "MissingAuthenticationTokenException"),
    (", Signature=", ", Sig=", 403, "IncompleteSignatureException"),
    ("/app-instance-users", "/users", 404, "UnknownOperationException"),
    ("/app-instance-users", "/app-instance-users?a==", 400, "BadRequestException"),
  ])
  func aRequestThatWasTamperedWithIsRefused(
    _ old: String, _ new: String, _ status: Int, _ type: String
  ) throws {
    let reply = try Self.send("CreateAppInstanceUser", to: Self.handler()) { $0.replacing(old, with: new) }
    #expect(reply.status == status)
    #expect(reply.fieldLines.contains("x-amzn-errortype: \(type)\r\n"))
  }

  @Test func aDateOutsideTheSkewIsRefused() throws {
    for offset in [-301, 301] as [Int64] {
      let reply = try Self.send("CreateAppInstanceUser", to: Self.handler(seconds: noon.seconds + offset))
      #expect(reply.status == 403)
    }
    #expect(
      try Self.send("CreateAppInstanceUser", to: Self.handler(seconds: noon.seconds + 299)).status == 201)
  }

  /// A call that is not kept was not answered either, and later ones must not hang on it.
  @Test func nothingIsBuiltOnWhatCouldNotBeKept() throws {
    struct Full: Error {}
    let handler = Self.handler { entry in
      if entry.method == "POST" { throw Full() }
    }
    let first = try Self.send("CreateAppInstanceUser", to: handler)
    #expect(first.status == 500 && first.body.contains("the database cannot be written"))
    for operation in ["DescribeAppInstanceUser", "TagResource", "ListAppInstanceUsers"] {
      #expect(try Self.send(operation, to: handler).status == 500)
    }
  }

  @Test func whatWasKeptGivesTheSameService() throws {
    let kept = Mutex<[SandboxEntry]>([])
    let handler = Self.handler { entry in kept.withLock { $0.append(entry) } }
    for operation in ["CreateAppInstance", "CreateAppInstanceUser", "DescribeAppInstanceUser", "TagResource"]
    {
      _ = try Self.send(operation, to: handler)
    }
    let entries = kept.withLock(\.self).map { SandboxEntry(line: Array($0.line.dropLast())) }
    #expect(!entries.isEmpty && entries.count < 4)
    var service = SandboxService(region: "us-east-1")
    for entry in entries { #expect(service.redo(try #require(entry))) }
    #expect(service.appInstances.count == 1)
  }

  private static func handler(
    seconds: Int64 = noon.seconds, keep: (@Sendable (SandboxEntry) throws -> Void)? = nil
  ) -> SandboxHandler {
    SandboxHandler(
      service: SandboxService(region: "us-east-1"), region: "us-east-1",
      key: VerificationKey(id: "AKIDEXAMPLE", secret: Secret("secret".utf8)),
      clock: StoppedClock(at: WallClockTime(seconds: seconds)), entropy: SeededEntropy(seed: 3), keep: keep)
  }

  private static func send(
    _ operation: String, to handler: SandboxHandler, change: (String) -> String = { $0 }
  ) throws -> Answer {
    let text = change(try SignedRequests.text(of: operation))
    var parser = RequestParser(limits: HTTPLimits())
    guard case .request(let message) = try parser.next(adding: Array(text.utf8).span.bytes) else {
      throw UnreadableRequest.tooSlow
    }
    let reply = handler.answer(message)
    return Answer(
      status: reply.status, fieldLines: String(decoding: reply.fieldLines.array, as: UTF8.self),
      body: String(decoding: reply.bytes[reply.body], as: UTF8.self))
  }

  private struct Answer {
    let status: Int
    let fieldLines: String
    let body: String
  }
}
