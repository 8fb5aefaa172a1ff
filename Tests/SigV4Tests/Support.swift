import Foundation
import OpenSSLCrypto
import Primitives
import Testing

@testable import HTTPWire
@testable import SigV4

/// A request as it would stand on the wire, to be changed field by field.
struct WireRequest {
  var method: String
  var target: String
  var fields: [(name: String, value: String)]
  var body: [UInt8] = []

  var query: String {
    target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) } ?? ""
  }

  /// The head without the parser's checks: published vectors hold requests that it refuses.
  func head() -> RequestHead {
    var bytes = Array("\(method) \(target) HTTP/1.1\r\n".utf8)
    let start = method.utf8.count + 1
    let end = start + target.utf8.count
    let mark = bytes[start..<end].firstIndex(of: UInt8(ascii: "?"))
    var lines: [FieldLine] = []
    for (name, value) in fields {
      let nameStart = bytes.count
      bytes += Array(name.utf8)
      let nameEnd = bytes.count
      bytes += [UInt8(ascii: ":")]
      let valueStart = bytes.count
      bytes += Array(value.utf8)
      lines.append(
        FieldLine(
          name: nameStart..<nameEnd, value: valueStart..<bytes.count,
          known: Self.known(name)))
      bytes += Array("\r\n".utf8)
    }
    bytes += Array("\r\n".utf8)
    return RequestHead(
      bytes: bytes, method: ByteSlice(0..<method.utf8.count), path: ByteSlice(start..<(mark ?? end)),
      query: mark.map { ByteSlice($0 + 1..<end) }, fields: lines, keepAlive: true)
  }

  private static func known(_ name: String) -> FieldName {
    switch name.lowercased() {
    case "host": .host
    case "authorization": .authorization
    case "content-type": .contentType
    case "x-amz-date": .amzDate
    case "x-amz-security-token": .amzSecurityToken
    case "x-amz-content-sha256": .amzContentSHA256
    case "x-gatehouse-actor": .gatehouseActor
    case let other where other.hasPrefix("x-amz-"): .xAmzPrefix
    default: .other
    }
  }

  subscript(name: String) -> String? {
    get { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
    set {
      let index = fields.firstIndex { $0.name.lowercased() == name.lowercased() }
      switch (index, newValue) {
      case (let index?, let value?): fields[index].value = value
      case (let index?, nil): fields.remove(at: index)
      case (nil, let value?): fields.append((name, value))
      case (nil, nil): break
      }
    }
  }
}

extension WireRequest {
  /// Runs the verifier with one key and returns what it said.
  func verify(
    region: Text = "us-east-1", service: Text = "chime", keys: [VerificationKey], now: WallClockTime,
    skewSeconds: Int64 = 300, workspace: inout SigningWorkspace
  ) throws -> Result<AuthenticatedCaller, AuthenticationFailure> {
    let verifier = Verifier(
      VerifierSettings(
        scopes: PerRegion(SigningScope(region: region, service: service)),
        clockSkewNanoseconds: skewSeconds * 1_000_000_000))
    let query = try CanonicalQuery(parsing: Array(query.utf8)).encoded
    let head = head()
    return Result { () throws(AuthenticationFailure) in
      try verifier.verify(
        head, canonicalQuery: query.span, body: body.span, now: now, keys: AccessKeyTable(keys),
        workspace: &workspace)
    }
  }
}

/// A request that botocore signed (Tests/Fixtures/sigv4/make_vectors.py).
struct ChimeVector: Decodable, CustomTestStringConvertible {
  let name: String
  let region: String
  let accessKeyId: String
  let secret: String
  let sessionToken: String?
  let time: String
  let method: String
  let target: String
  let headers: [[String]]
  let body: String
  let canonicalRequest: String
  let stringToSign: String
  let signature: String

  var testDescription: String { name }

  var request: WireRequest {
    WireRequest(
      method: method, target: target, fields: headers.map { ($0[0], $0[1]) },
      body: Base64.decode(Array(body.utf8)) ?? [])
  }
  var key: VerificationKey {
    VerificationKey(
      id: Text(accessKeyId), secret: Secret(secret.utf8),
      sessionToken: sessionToken.map { Secret($0.utf8) })
  }
  func now() throws -> WallClockTime { try #require(WallClockTime(amzDate: Array(time.utf8))) }

  static let all: [ChimeVector] = {
    struct File: Decodable { let vectors: [ChimeVector] }
    let url = packageRoot.appendingPathComponent("Tests/Fixtures/sigv4/chime.json")
    do {
      return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).vectors
    } catch {
      Issue.record("the vectors made with botocore cannot be read: \(error)")
      return []
    }
  }()

  static func named(_ name: String) throws -> ChimeVector {
    try #require(all.first { $0.name == name }, "no vector is named so")
  }
}

let packageRoot = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Text of bytes for comparison with vectors; shows both in a failure.
func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
