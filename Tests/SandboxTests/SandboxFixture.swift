import Foundation
import Testing

import ChimeIdentity
import HTTPWire
import OpenSSLCrypto
import Primitives
@testable import Sandbox
import SigV4
import StrictJSON
import TestSupport
import Transport

let appArn = "arn:aws:chime:us-east-1:123456789012:app-instance/0f4bd6bf-4c3a-4f0e-9d3a-5f1c2f6f3b11"
let noon = WallClockTime(seconds: 1_795_438_800)

/// Drives the service the way the handler does, without HTTP or signatures.
struct SandboxUnderTest {
  var service = SandboxService(region: "us-east-1")
  let entropy = SeededEntropy(seed: 7)
  var now = noon

  /// The answer's JSON, `[:]` where there is no body.
  mutating func call(_ method: String, _ target: String, _ body: String = "") throws -> [String: Any] {
    let parts = target.split(separator: "?", maxSplits: 1).map { Array($0.utf8)[...] }
    let call = try ChimeIdentity.Operation.identify(
      method: Array(method.utf8)[...], path: parts[0], query: parts.count > 1 ? parts[1] : nil)
    let document = try body.isEmpty ? nil : JSONDocument(parsing: Array(body.utf8))
    try ModelValidator.validate(call, document: document)
    let answer = try service.answer(call, document: document, now: now, entropy: entropy)
    #expect(answer.status == call.operation.successStatus)
    guard !answer.body.isEmpty else { return [:] }
    return try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
  }

  @discardableResult
  mutating func createUser(
    _ id: String, token: String? = nil, app: String = appArn, more: String = ""
  ) throws -> String {
    let token = token ?? "token-\(id)"
    let body =
      #"{"AppInstanceArn":"\#(app)","AppInstanceUserId":"\#(id)","Name":"N","ClientRequestToken":"\#(token)"\#(more)}"#
    return try #require(call("POST", "/app-instance-users", body)["AppInstanceUserArn"] as? String)
  }

  mutating func describe(_ arn: String) throws -> [String: Any] {
    try #require(call("GET", "/app-instance-users/\(encoded(arn))")["AppInstanceUser"] as? [String: Any])
  }
}

/// Requests that botocore signed at `noon` with AKIDEXAMPLE and `secret`, as they stand on the wire.
enum SignedRequests {
  private struct Row: Decodable {
    let operation: String
    let request: String
  }

  static func text(of operation: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/chime/signed.json"))
    let rows = try JSONDecoder().decode([Row].self, from: data)
    return try #require(rows.first { $0.operation == operation }).request
  }
}

func encoded(_ value: String) -> String {
  var out: [UInt8] = []
  PercentCoding.encode(value.utf8, into: &out)
  return String(decoding: out, as: UTF8.self)
}

/// The error that `body` fails with.
func failure(_ body: () throws -> Void) -> ServiceError? {
  do {
    try body()
    return nil
  } catch { return (error as? SandboxFailure)?.error }
}
