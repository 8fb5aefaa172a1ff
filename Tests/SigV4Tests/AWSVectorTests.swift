import Foundation
import OpenSSLCrypto
import Primitives
import Testing

@testable import HTTPWire
@testable import SigV4

/// A vector of AWS's published suites, as gathered outside of this repository.
struct AWSVector: Decodable, CustomTestStringConvertible {
  struct Context: Decodable {
    struct Keys: Decodable {
      let access_key_id: String
      let secret_access_key: String
      let token: String?
    }
    let credentials: Keys?
    let normalize: Bool
    let region: String?
    let service: String?
    let sign_body: Bool?
    let omit_session_token: Bool?
    let timestamp: String?
    let canonical_path_only: Bool?
  }
  struct Expected: Decodable {
    struct Header: Decodable {
      let canonical_request: String
      let signature: String
      let string_to_sign: String?
    }
    let header: Header?
  }
  struct Request: Decodable {
    let method: String
    let target: String
    let headers: [[String]]
    let body_b64: String
  }
  let id: String
  let context: Context
  let expected: Expected
  let request: Request

  var testDescription: String { id }

  static let path = "../shared/fixtures/sigv4-vectors.json"
  static let all: [AWSVector] = {
    struct File: Decodable { let vectors: [AWSVector] }
    guard let data = try? Data(contentsOf: packageRoot.appendingPathComponent(path)) else { return [] }
    do {
      return try JSONDecoder().decode(File.self, from: data).vectors
    } catch {
      Issue.record("\(path) is there but cannot be read: \(error)")
      return []
    }
  }()

  var query: String { String(request.target.drop { $0 != "?" }.dropFirst()) }

  /// Paths that the head parser refuses and the verifier therefore never normalises.
  var needsNormalising: Bool {
    let path = request.target.prefix { $0 != "?" }
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return context.normalize
      && segments.enumerated().contains { index, segment in
        segment == "." || segment == ".." || (segment.isEmpty && index + 1 < segments.count)
      }
  }

  /// A query with bytes that no URI may hold (RFC 3986), which the query reader refuses.
  var hasForeignQuery: Bool { !query.utf8.allSatisfy { $0 < 0x80 } }
}

@Suite(
  "AWS's published vectors",
  .enabled(if: !AWSVector.all.isEmpty, "\(AWSVector.path) is not beside this checkout"))
struct AWSVectorTests {
  static let headerForm = AWSVector.all.filter {
    $0.expected.header != nil && $0.context.canonical_path_only != true
  }
  static let applicable = headerForm.filter { !$0.needsNormalising && !$0.hasForeignQuery }

  @Test("give their canonical request, string to sign and signature", arguments: applicable)
  func verifies(vector: AWSVector) throws {
    let expected = try #require(vector.expected.header)
    let (request, key) = try signedRequest(vector, expected: expected)
    let service = Text(try #require(vector.context.service))
    let region = Text(try #require(vector.context.region))
    let now = try #require(WallClockTime(amzDate: Array((request["X-Amz-Date"] ?? "").utf8)))
    var workspace = SigningWorkspace()
    let result = try request.verify(
      region: region, service: service, keys: [key], now: now, workspace: &workspace)
    #expect(string(workspace.scratch.request.bytes.array) == expected.canonical_request)
    #expect(string(workspace.scratch.stringToSign.array) == expected.string_to_sign)
    #expect(throws: Never.self) { try result.get() }
  }

  @Test("leave nothing out but paths to be normalised and queries that are no URI")
  func countsWhatIsLeftOut() {
    let leftOut = Self.headerForm.filter { $0.needsNormalising || $0.hasForeignQuery }
    let names = Set(leftOut.map { $0.id.split(separator: "/").last.map(String.init) ?? "" })
    let known: Set = [
      "get-relative-normalized", "get-relative-relative-normalized", "get-slash-dot-slash-normalized",
      "get-slash-normalized", "get-slash-pointless-dot-normalized", "get-slashes-normalized",
      "get-relative", "get-relative-relative", "get-slash", "get-slash-dot-slash",
      "get-slash-pointless-dot", "get-slashes", "get-vanilla-utf8-query",
    ]
    #expect(names.subtracting(known).isEmpty)
    #expect(Self.applicable.count >= 40)
  }

  @Test("that encode a path twice give its canonical form")
  func encodesPathsOnceMore() throws {
    let vectors = AWSVector.all.filter { $0.context.canonical_path_only == true }
    #expect(!vectors.isEmpty)
    for vector in vectors {
      let expected = try #require(vector.expected.header)
      var request = CanonicalRequest()
      request.begin(
        method: Array(vector.request.method.utf8).span, path: Array(vector.request.target.utf8).span,
        query: [UInt8]().span)
      let line = string(request.bytes.array).split(separator: "\n")[1]
      #expect(line == expected.canonical_request.split(separator: "\n")[1], "\(vector.id)")
    }
  }

  /// The vector's request with the fields that its signer adds and the signature it expects.
  private func signedRequest(
    _ vector: AWSVector, expected: AWSVector.Expected.Header
  ) throws -> (WireRequest, VerificationKey) {
    let keys = try #require(vector.context.credentials)
    let canonical = expected.canonical_request.split(separator: "\n", omittingEmptySubsequences: false)
    let signedNames = canonical[canonical.count - 2]
    let date = try #require(vector.context.timestamp).filter { $0 != "-" && $0 != ":" }
    var request = WireRequest(
      method: vector.request.method, target: vector.request.target,
      fields: vector.request.headers.map { ($0[0], $0[1]) },
      body: Base64.decode(Array(vector.request.body_b64.utf8)) ?? [])
    if request["X-Amz-Date"] == nil { request["X-Amz-Date"] = date }
    if vector.context.sign_body == true && request["X-Amz-Content-Sha256"] == nil {
      request["X-Amz-Content-Sha256"] = SHA256.digest(request.body).hex
    }
    let token = vector.context.omit_session_token == true ? nil : keys.token
    if let token { request["X-Amz-Security-Token"] = token }
    let scope = "\(date.prefix(8))/\(vector.context.region ?? "")/\(vector.context.service ?? "")"
    request["Authorization"] =
      "AWS4-HMAC-SHA256 Credential=\(keys.access_key_id)/\(scope)/aws4_request, "
      + "SignedHeaders=\(signedNames), Signature=\(expected.signature)"
    let key = VerificationKey(
      id: Text(keys.access_key_id), secret: Secret(keys.secret_access_key.utf8),
      sessionToken: (token ?? request["X-Amz-Security-Token"]).map { Secret($0.utf8) })
    return (request, key)
  }
}
