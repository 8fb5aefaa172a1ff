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
let lexAlias = "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/KLMNOPQRST"
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

  @discardableResult
  mutating func createAppInstance(_ name: String = "crm", token: String = "app-1") throws -> String {
    let body = #"{"Name":"\#(name)","ClientRequestToken":"\#(token)"}"#
    return try #require(call("POST", "/app-instances", body)["AppInstanceArn"] as? String)
  }

  @discardableResult
  mutating func createBot(
    _ name: String = "bot", token: String? = nil, app: String = appArn, more: String = ""
  ) throws -> String {
    let lex = #"{"Lex":{"LexBotAliasArn":"\#(lexAlias)","LocaleId":"en_US"}}"#
    let body =
      #"{"AppInstanceArn":"\#(app)","Name":"\#(name)","Configuration":\#(lex),"#
      + #""ClientRequestToken":"\#(token ?? "token-\(name)")"\#(more)}"#
    return try #require(call("POST", "/app-instance-bots", body)["AppInstanceBotArn"] as? String)
  }

  mutating func tags(of arn: String) throws -> [String: String] {
    let list = try call("GET", "/tags?arn=\(encoded(arn))")["Tags"] as? [[String: String]] ?? []
    return Dictionary(list.map { ($0["Key"] ?? "", $0["Value"] ?? "") }, uniquingKeysWith: { $1 })
  }

  /// The elements of all pages of a list.
  mutating func pages(_ target: String, _ key: String, by size: Int) throws -> [[String: Any]] {
    var found: [[String: Any]] = []
    var query = "max-results=\(size)"
    while true {
      let page = try call("GET", target + (target.contains("?") ? "&" : "?") + query)
      let elements = try #require(page[key] as? [[String: Any]])
      #expect(elements.count <= size)
      found += elements
      guard let token = page["NextToken"] as? String else { return found }
      query = "max-results=\(size)&next-token=\(encoded(token))"
    }
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

/// Whether an answer says just what this JSON does.
func isEqual(_ answer: [String: Any], _ json: String) throws -> Bool {
  let expected = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
  return NSDictionary(dictionary: answer) == expected.map { NSDictionary(dictionary: $0) }
}

/// The error that `body` fails with.
func failure(_ body: () throws -> Void) -> ServiceError? {
  do {
    try body()
    return nil
  } catch { return (error as? SandboxFailure)?.error }
}
