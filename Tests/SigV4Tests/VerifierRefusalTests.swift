import Foundation
import OpenSSLCrypto
import Primitives
import Testing

@testable import HTTPWire
@testable import SigV4

@Suite("A request whose signature cannot be accepted")
struct VerifierRefusalTests {
  /// One change to a request that botocore signed, and what the verifier says of it.
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let expected: AuthenticationFailure
    let change: @Sendable (inout WireRequest) -> Void

    init(
      _ name: String, _ expected: AuthenticationFailure,
      _ change: @escaping @Sendable (inout WireRequest) -> Void
    ) {
      testDescription = name
      self.expected = expected
      self.change = change
    }
  }

  static let cases: [Case] = [
    Case("no Authorization header", .missingAuthorization) { $0["Authorization"] = nil },
    Case("presigned form", .missingAuthorization) {
      $0["Authorization"] = nil
      $0.target += "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
    },
    Case("Authorization twice", .incomplete(.fieldGivenTwice(.authorization))) {
      $0.fields.append(("authorization", $0["Authorization"] ?? ""))
    },
    Case("another scheme", .incomplete(.otherAlgorithm)) { $0["Authorization"] = "Bearer abc" },
    Case("another algorithm", .incomplete(.otherAlgorithm)) {
      $0.replace("AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256 ")
    },
    Case("an empty Authorization", .incomplete(.otherAlgorithm)) { $0["Authorization"] = "" },
    Case("nothing after the algorithm", .incomplete(.unknownParameter)) {
      $0["Authorization"] = "AWS4-HMAC-SHA256 "
    },
    Case("no Credential", .incomplete(.parameterMissing(.credential))) {
      $0["Authorization"] = "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00"
    },
    Case("no SignedHeaders", .incomplete(.parameterMissing(.signedHeaders))) {
      $0["Authorization"] = "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=00"
    },
    Case("no Signature", .incomplete(.parameterMissing(.signature))) {
      $0["Authorization"] = "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host"
    },
    Case("an empty Signature", .incomplete(.parameterMalformed(.signature))) {
      $0["Authorization"] = "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature="
    },
    Case("Credential twice", .incomplete(.parameterMalformed(.credential))) {
      $0.replace("Credential=", "Credential=a/b/c/d/e, Credential=")
    },
    Case("four elements in Credential", .incomplete(.parameterMalformed(.credential))) {
      $0.replace("/aws4_request", "")
    },
    Case("six elements in Credential", .incomplete(.parameterMalformed(.credential))) {
      $0.replace("/aws4_request", "/aws4_request/x")
    },
    Case("an empty access key id", .incomplete(.parameterMalformed(.credential))) {
      $0.replace("Credential=GHAKCRM00000000001", "Credential=")
    },
    Case("an unknown parameter", .incomplete(.unknownParameter)) {
      $0.replace("Signature=", "Extra=1, Signature=")
    },
    Case("a trailing comma", .incomplete(.unknownParameter)) {
      $0["Authorization"] = ($0["Authorization"] ?? "") + ","
    },
    Case("spaces inside a parameter", .incomplete(.parameterMalformed(.signedHeaders))) {
      $0.replace("content-type;host", "content-type; host")
    },
    Case("signed fields out of order", .incomplete(.parameterMalformed(.signedHeaders))) {
      $0.replace("content-type;host", "host;content-type")
    },
    Case("a signed field listed twice", .incomplete(.parameterMalformed(.signedHeaders))) {
      $0.replace("content-type;host", "content-type;host;host")
    },
    Case("a signed field in upper case", .incomplete(.parameterMalformed(.signedHeaders))) {
      $0.replace("content-type;host", "Content-Type;host")
    },
    Case("an empty name among the signed", .incomplete(.parameterMalformed(.signedHeaders))) {
      $0.replace("content-type;host", ";host")
    },
    Case("host not signed", .incomplete(.hostNotSigned)) {
      $0.replace("content-type;host;", "content-type;")
    },
    Case("a listed field absent", .incomplete(.listedFieldAbsent("content-type"))) {
      $0["Content-Type"] = nil
    },
    Case("no X-Amz-Date", .incomplete(.dateMissing)) { $0["X-Amz-Date"] = nil },
    Case("Date instead of X-Amz-Date", .incomplete(.dateMissing)) {
      $0["X-Amz-Date"] = nil
      $0["Date"] = "Mon, 23 Nov 2026 13:00:00 GMT"
    },
    Case("X-Amz-Date twice", .incomplete(.fieldGivenTwice(.date))) {
      $0.fields.append(("x-amz-date", "20261123T130000Z"))
    },
    Case("X-Amz-Date in another form", .incomplete(.dateMalformed)) {
      $0["X-Amz-Date"] = "2026-11-23T13:00:00Z"
    },
    Case("X-Amz-Date that is no day", .incomplete(.dateMalformed)) { $0["X-Amz-Date"] = "20260230T130000Z" },
    Case("host twice", .incomplete(.fieldGivenTwice(.host))) { $0.fields.append(("HOST", "a")) },
    Case("token twice", .incomplete(.fieldGivenTwice(.securityToken))) {
      $0.fields += [("X-Amz-Security-Token", "a"), ("X-Amz-Security-Token", "a")]
    },
    Case("body hash twice", .incomplete(.fieldGivenTwice(.contentSHA256))) {
      $0.fields += [("X-Amz-Content-Sha256", "a"), ("X-Amz-Content-Sha256", "a")]
    },
    Case("unknown access key", .unrecognized(.unknown)) { $0.replace("GHAKCRM0", "GHAKCRM1") },
    Case("a token on a key that has none", .unrecognized(.unexpectedToken)) {
      $0["X-Amz-Security-Token"] = "abc"
    },
    Case("too old", .invalid(.dateTooOld)) {
      $0["X-Amz-Date"] = "20261123T125459Z"
    },
    Case("in the future", .invalid(.dateInFuture)) { $0["X-Amz-Date"] = "20261123T130501Z" },
    Case("scope of another day", .invalid(.scopeDate)) { $0.replace("/20261123/", "/20261122/") },
    Case("scope without a date", .invalid(.scopeDate)) { $0.replace("/20261123/", "//") },
    Case("scope of another region", .invalid(.scopeRegion(accepted: ["us-east-1"]))) {
      $0.replace("us-east-1", "eu-central-1")
    },
    Case("scope of another service", .invalid(.scopeService)) { $0.replace("/chime/", "/s3/") },
    Case("another terminator", .invalid(.scopeTerminator)) { $0.replace("aws4_request", "aws4_Request") },
    Case("another signature", .invalid(.mismatch)) {
      $0.replace("Signature=", "Signature=\(String(repeating: "0", count: 64))", droppingRest: true)
    },
    Case("a short signature", .invalid(.mismatch)) {
      $0.replace("Signature=", "Signature=abc", droppingRest: true)
    },
    Case("a signature in upper case", .invalid(.mismatch)) {
      let value = $0["Authorization"] ?? ""
      let signature = value.suffix(64)
      $0["Authorization"] = value.dropLast(64) + signature.uppercased()
    },
    Case("another method", .invalid(.mismatch)) { $0.method = "PUT" },
    Case("another path", .invalid(.mismatch)) { $0.target += "/" },
    Case("another query", .invalid(.mismatch)) { $0.target += "?a=1" },
    Case("another body", .invalid(.mismatch)) { $0.body[0] ^= 1 },
    Case("another value of a signed field", .invalid(.mismatch)) { $0["Content-Type"] = "text/plain" },
    Case("a signed field repeated", .invalid(.mismatch)) {
      $0.fields.append(("Content-Type", "application/json"))
    },
    Case("an x-amz field not signed", .invalid(.fieldNotSigned("X-Amz-Target"))) { $0["X-Amz-Target"] = "x" },
    Case("X-Amz-Date not signed", .invalid(.fieldNotSigned("X-Amz-Date"))) {
      $0.replace(";x-amz-date", "")
    },
    Case("a body hash field not signed", .invalid(.fieldNotSigned("X-Amz-Content-Sha256"))) {
      $0["X-Amz-Content-Sha256"] = SHA256.digest($0.body).hex
    },
    Case("the hash of another body", .invalid(.payloadHashMismatch)) {
      $0.signAlso("X-Amz-Content-Sha256", String(repeating: "0", count: 64))
    },
    Case("the body hash in upper case", .invalid(.payloadHashMismatch)) {
      $0.signAlso("X-Amz-Content-Sha256", SHA256.digest($0.body).hex.uppercased())
    },
    Case("an unsigned body", .invalid(.payloadNotSigned)) {
      $0.signAlso("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    },
    Case("a streaming body", .invalid(.payloadNotSigned)) {
      $0.signAlso("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    },
  ]

  @Test("is refused for its reason", arguments: cases)
  func refuses(example: Case) throws {
    let vector = try ChimeVector.named("post with a body")
    var request = vector.request
    example.change(&request)
    var workspace = SigningWorkspace()
    let result = try request.verify(keys: [vector.key], now: try vector.now(), workspace: &workspace)
    #expect(result.failure == example.expected)
  }

  @Test("and is accepted when only what is not signed, or the spelling, differs")
  func acceptsHarmlessChanges() throws {
    let vector = try ChimeVector.named("post with a body")
    let changes: [(String, (inout WireRequest) -> Void)] = [
      ("nothing", { _ in }),
      ("separators without a space", { $0.replace(", ", ",") }),
      ("separators of several spaces", { $0.replace(", ", ",  ") }),
      ("another order of parameters", { $0.reorderAuthorization() }),
      ("another case of field names", { $0.fields = $0.fields.map { ($0.name.uppercased(), $0.value) } }),
      ("another order of fields", { $0.fields.reverse() }),
      ("space around a value", { $0["Content-Type"] = " \t application/json\t" }),
      ("an unsigned field more", { $0["X-Amzn-Trace-Id"] = "Root=1" }),
      ("the last second of the skew", { _ in }),
    ]
    for (name, change) in changes {
      var request = vector.request
      change(&request)
      var workspace = SigningWorkspace()
      let now = try vector.now().advanced(byNanoseconds: 300 * 1_000_000_000)
      let result = try request.verify(keys: [vector.key], now: now, workspace: &workspace)
      #expect(result.failure == nil, "\(name)")
    }
  }

  @Test("names more signed fields than any SDK lists")
  func boundsSignedHeaders() throws {
    let vector = try ChimeVector.named("post with a body")
    var request = vector.request
    let many = (0..<70).map { "y\(100 + $0)" }
    for name in many { request[name] = "1" }
    request.replace("x-amz-date", "x-amz-date;" + many.joined(separator: ";"))
    var workspace = SigningWorkspace()
    let result = try request.verify(keys: [vector.key], now: try vector.now(), workspace: &workspace)
    #expect(result.failure == .incomplete(.parameterMalformed(.signedHeaders)))
  }
}

@Suite("An access key")
struct VerificationKeyTests {
  private func failure(
    of vectorName: String, _ key: (ChimeVector) throws -> VerificationKey
  ) throws -> AuthenticationFailure? {
    let vector = try ChimeVector.named(vectorName)
    var workspace = SigningWorkspace()
    return try vector.request.verify(
      keys: [try key(vector)], now: try vector.now(), workspace: &workspace
    ).failure
  }

  @Test("that is revoked is not recognised")
  func revoked() throws {
    let failure = try failure(of: "post with a body") {
      VerificationKey(id: $0.key.id, secret: $0.key.secret, isRevoked: true)
    }
    #expect(failure == .unrecognized(.revoked))
  }

  @Test("is good until the end and not recognised after it")
  func expires() throws {
    for (offset, expected) in [(0, nil), (-1, AuthenticationFailure.unrecognized(.expired))] {
      let failure = try failure(of: "post with a body") {
        VerificationKey(
          id: $0.key.id, secret: $0.key.secret,
          notAfter: try $0.now().advanced(byNanoseconds: Int64(offset)))
      }
      #expect(failure == expected)
    }
  }

  @Test("with a session token is an expired token after its end")
  func expiredToken() throws {
    let failure = try failure(of: "session token") {
      VerificationKey(
        id: $0.key.id, secret: $0.key.secret, sessionToken: $0.key.sessionToken,
        notAfter: try $0.now().advanced(byNanoseconds: -1))
    }
    #expect(failure == .expiredToken)
  }

  @Test("with a session token needs that token")
  func needsToken() throws {
    #expect(try failure(of: "session token") { $0.key } == nil)
    #expect(
      try failure(of: "post with a body") {
        VerificationKey(id: $0.key.id, secret: $0.key.secret, sessionToken: Secret([1]))
      } == .unrecognized(.missingToken))
    #expect(
      try failure(of: "session token") {
        VerificationKey(id: $0.key.id, secret: $0.key.secret, sessionToken: Secret([1]))
      } == .unrecognized(.wrongToken))
  }

  @Test("with another secret makes the signature wrong")
  func otherSecret() throws {
    #expect(
      try failure(of: "post with a body") { VerificationKey(id: $0.key.id, secret: Secret([1])) }
        == .invalid(.mismatch))
  }

  @Test("whose token is not signed does not pass")
  func unsignedToken() throws {
    let vector = try ChimeVector.named("session token")
    var request = vector.request
    request.replace(";x-amz-security-token", "")
    var workspace = SigningWorkspace()
    let result = try request.verify(keys: [vector.key], now: try vector.now(), workspace: &workspace)
    #expect(result.failure == .invalid(.fieldNotSigned("X-Amz-Security-Token")))
  }

  @Test("is named for the record even when it is refused")
  func claimedKey() throws {
    let vector = try ChimeVector.named("post with a body")
    var request = vector.request
    #expect(Verifier.claimedAccessKeyId(request.head()) == "GHAKCRM00000000001")
    request["Authorization"] = "Basic abc"
    #expect(Verifier.claimedAccessKeyId(request.head()) == nil)
  }

  @Test("signs fields, and the caller says which")
  func signedFields() throws {
    var workspace = SigningWorkspace()
    for (name, isSigned) in [("spaces in values", true), ("post with a body", false)] {
      let vector = try ChimeVector.named(name)
      var request = vector.request
      if request["X-Gatehouse-Actor"] == nil { request["X-Gatehouse-Actor"] = "alice" }
      let caller = try request.verify(keys: [vector.key], now: try vector.now(), workspace: &workspace).get()
      #expect(caller.isSigned(.gatehouseActor) == isSigned)
      #expect(caller.isSigned(.host))
      #expect(!caller.isSigned(.amzSecurityToken))
    }
  }
}

extension Result {
  var failure: Failure? {
    switch self {
    case .success: nil
    case .failure(let failure): failure
    }
  }
}

extension WireRequest {
  /// Replaces text in the Authorization field, and all behind it if asked to.
  mutating func replace(_ old: String, _ new: String, droppingRest: Bool = false) {
    guard let value = self["Authorization"], value.contains(old) else { return }
    if droppingRest, let range = value.range(of: old) {
      self["Authorization"] = value[..<range.lowerBound] + new
    } else {
      self["Authorization"] = value.replacingOccurrences(of: old, with: new)
    }
  }

  /// Adds a field and lists it as signed; the signature itself stays as it was.
  mutating func signAlso(_ name: String, _ value: String) {
    fields.append((name, value))
    replace(";x-amz-date", ";\(name.lowercased());x-amz-date")
  }

  mutating func reorderAuthorization() {
    guard let value = self["Authorization"] else { return }
    let parts = value.dropFirst("AWS4-HMAC-SHA256 ".count).components(separatedBy: ", ")
    self["Authorization"] = "AWS4-HMAC-SHA256 " + parts.reversed().joined(separator: ", ")
  }
}
