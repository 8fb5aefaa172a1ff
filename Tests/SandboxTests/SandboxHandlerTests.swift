import Foundation
import Testing

import HTTPWire
import OpenSSLCrypto
import Primitives
@testable import Sandbox
import SigV4
import Transport

/// Requests that botocore signed (Tests/Fixtures/chime/generate.py) against the whole front.
@Suite struct SandboxHandlerTests {
  private struct Signed: Decodable {
    let operation: String
    let request: String
  }

  @Test func whatBotocoreSignsIsServed() throws {
    let handler = Self.handler()
    #expect(try Self.send("CreateAppInstanceUser", to: handler).status == 201)
    let described = try Self.send("DescribeAppInstanceUser", to: handler)
    #expect(described.status == 200)
    #expect(String(decoding: described.body, as: UTF8.self).contains(#""Name":"Alice Übermut""#))
    #expect(try Self.send("ListAppInstanceUsers", to: handler).status == 200)
    #expect(try Self.send("TagResource", to: handler).body.isEmpty)
    let created = try Self.send("CreateAppInstance", to: handler)
    #expect(created.status == 201)
    let fields = String(decoding: created.fieldLines, as: UTF8.self).lowercased()
    #expect(fields.contains("content-type: application/json\r\n"))
    #expect(fields.contains("x-amzn-requestid: "))
  }

  @Test(arguments: [
    ("a changed body", { $0.replacing("Alice", with: "Alise") }, 403, "InvalidSignatureException"),
    ("a changed date", { $0.replacing("T130000Z", with: "T130001Z") }, 403, "InvalidSignatureException"),
    ("another key", { $0.replacing("AKIDEXAMPLE", with: "AKIDOTHER") }, 403, "UnrecognizedClientException"),
    ("another region", { $0.replacing("us-east-1/chime", with: "eu-west-1/chime") }, 403, "InvalidSignatureException"),
    ("no signature", { $0.replacing("Authorization", with: "X-Nothing") }, 403, "MissingAuthenticationTokenException"),
    ("half a signature", { $0.replacing(", Signature=", with: ", Sig=") }, 403, "IncompleteSignatureException"),
    ("an unknown path", { $0.replacing("/app-instance-users", with: "/users") }, 404, "UnknownOperationException"),
  ] as [(String, @Sendable (String) -> String, Int, String)])
  func aRequestThatWasTamperedWithIsRefused(
    _ what: String, _ change: @Sendable (String) -> String, _ status: Int, _ type: String
  ) throws {
    let reply = try Self.send("CreateAppInstanceUser", to: Self.handler(), changed: change)
    #expect(reply.status == status, "\(what)")
    #expect(String(decoding: reply.fieldLines, as: UTF8.self).contains("x-amzn-errortype: \(type)\r\n"), "\(what)")
  }

  @Test func aDateOutsideTheSkewIsRefused() throws {
    for offset in [-301, 301] as [Int64] {
      let reply = try Self.send("CreateAppInstanceUser", to: Self.handler(seconds: noon.seconds + offset))
      #expect(reply.status == 403)
    }
    #expect(try Self.send("CreateAppInstanceUser", to: Self.handler(seconds: noon.seconds + 299)).status == 201)
  }

  private static func handler(seconds: Int64 = noon.seconds) -> SandboxHandler {
    SandboxHandler(
      service: SandboxService(region: "us-east-1"), region: "us-east-1",
      key: VerificationKey(id: "AKIDEXAMPLE", secret: Secret("secret".utf8)),
      clock: FixedClock(time: WallClockTime(seconds: seconds)), entropy: SeededEntropy(seed: 3))
  }

  private static func send(
    _ operation: String, to handler: SandboxHandler, changed change: (String) -> String = { $0 }
  ) throws -> Reply {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/chime/signed.json"))
    let signed = try JSONDecoder().decode([Signed].self, from: data)
    let text = change(try #require(signed.first { $0.operation == operation }).request)
    var parser = RequestParser(limits: HTTPLimits())
    Array(text.utf8).withUnsafeBytes { parser.receive($0) }
    guard case .request(let message) = try parser.next() else {
      throw CocoaError(.fileReadCorruptFile, userInfo: [NSLocalizedDescriptionKey: "an incomplete request"])
    }
    return handler.answer(message)
  }
}
