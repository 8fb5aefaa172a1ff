internal import HTTPWire
internal import OpenSSLCrypto
internal import Primitives
internal import SigV4

/// 2026-11-23T13:00:00Z; corpora and everything signed here are of then.
private let now = WallClockTime(nanoseconds: 1_795_438_800_000_000_000)
private let key = VerificationKey(id: "GHAKFUZZ0000000001", secret: Secret("fuzz".utf8))
private let keys = AccessKeyTable([key])
private let verifier = Verifier(
  VerifierSettings(
    scopes: PerRegion(SigningScope(region: "us-east-1", service: "chime")),
    clockSkewNanoseconds: 300_000_000_000))

/// A request as it came must be judged as the reference judges it; signed anew by the reference it must be good, and with
/// another signature bad.
func checkSignatures(_ bytes: [UInt8]) throws(Disagreement) {
  var parser = RequestParser(limits: HTTPLimits(headerBytes: 4096, bodyBytes: 256))
  guard let event = try? parser.next(adding: bytes.span.bytes), case .request(let message) = event,
    let query = try? CanonicalQuery(parsing: message.head.query.map { Array(message.head.bytes[$0]) } ?? [])
  else { return }
  var workspace = SigningWorkspace()
  try checkAsItCame(message, query, &workspace)

  var request = ReferenceRequest(message, query: query.encoded)
  guard request.signAnew() else { return }
  let caller = verify(request.text, &workspace)
  try expect(
    caller == .success(key.id), "signed by the reference, \(shown(request.text)) is \(caller as Any)")
  request.signature[bytes.count % 64] ^= 1
  let forged = verify(request.text, &workspace)
  try expect(
    forged == .failure(.invalid(.mismatch)),
    "with another signature, \(shown(request.text)) is \(forged as Any)")
}

private func checkAsItCame(
  _ message: RequestMessage, _ query: CanonicalQuery, _ workspace: inout SigningWorkspace
) throws(Disagreement) {
  if let claimed = Verifier.claimedAccessKeyId(message.head) {
    try expect(
      !claimed.isEmpty && claimed.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "the claimed key \(claimed)"
    )
  }
  let outcome = verify(message, query, &workspace)
  switch outcome {
  case .success, .failure(.invalid(.mismatch)):
    let reference = ReferenceRequest(message, query: query.encoded)
    guard let isRight = reference.claimIsRight() else {
      throw Disagreement(description: "the reference finds nothing to judge in \(shown(message.head.bytes))")
    }
    try expect(
      isRight == (outcome == .success(key.id)), "the reference says \(isRight), the verifier \(outcome)")
  default: break
  }
}

private func verify(
  _ message: RequestMessage, _ query: CanonicalQuery, _ workspace: inout SigningWorkspace
) -> Result<Text, AuthenticationFailure> {
  Result { () throws(AuthenticationFailure) in
    try verifier.verify(
      message.head, canonicalQuery: query.encoded.span, body: message.bodyArray.span, now: now, keys: keys,
      workspace: &workspace
    ).key.id
  }
}

private func verify(
  _ text: [UInt8], _ workspace: inout SigningWorkspace
) -> Result<Text, AuthenticationFailure>? {
  var parser = RequestParser(limits: HTTPLimits())
  guard let event = try? parser.next(adding: text.span.bytes), case .request(let message) = event,
    let query = try? CanonicalQuery(parsing: message.head.query.map { Array(message.head.bytes[$0]) } ?? [])
  else { return nil }
  return verify(message, query, &workspace)
}

/// A request signed as the AWS General Reference describes it, step by step on copies of everything. It shares nothing with
/// the verifier but the hash functions and the canonical query.
private struct ReferenceRequest {
  let method: [UInt8]
  let path: [UInt8]
  let rawQuery: [UInt8]?
  let query: [UInt8]
  var fields: [(name: [UInt8], value: [UInt8])]
  let body: [UInt8]
  var signature: [UInt8] = []

  init(_ message: RequestMessage, query: [UInt8]) {
    let head = message.head
    method = Array(head.bytes[head.method])
    path = Array(head.bytes[head.path])
    rawQuery = head.query.map { Array(head.bytes[$0]) }
    self.query = query
    body = message.bodyArray
    let lines = head.fields
    fields = lines.indices.map { (Array(head.bytes[lines[$0].name]), Array(head.bytes[lines[$0].value])) }
  }

  private static func lower(_ name: [UInt8]) -> [UInt8] {
    name.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
  }

  private func values(of name: String) -> [[UInt8]] {
    fields.filter { Self.lower($0.name) == Array(name.utf8) }.map(\.value)
  }

  /// Signs every field. Returns whether the request can be signed so.
  mutating func signAnew() -> Bool {
    let replaced = [
      "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-length",
      "transfer-encoding", "expect",
    ].map { Array($0.utf8) }
    fields.removeAll { replaced.contains(Self.lower($0.name)) }
    fields.append((Array("X-Amz-Date".utf8), Array("20261123T130000Z".utf8)))
    fields.append((Array("Content-Length".utf8), Array("\(body.count)".utf8)))
    let names = Set(fields.map { Self.lower($0.name) })
    guard names.count <= 64, names.contains(Array("host".utf8)) else { return false }
    let listed = names.sorted { $0.lexicographicallyPrecedes($1) }
    signature = Array(Hex.encode(signature(over: listed, date: "20261123T130000Z")).utf8)
    return true
  }

  /// The request with its Authorization field in front.
  var text: [UInt8] {
    let names = Set(fields.map { Self.lower($0.name) }).sorted { $0.lexicographicallyPrecedes($1) }
    var text = method + [0x20] + path + (rawQuery.map { [0x3F] + $0 } ?? [])
    text += Array(" HTTP/1.1\r\nauthorization:AWS4-HMAC-SHA256 Credential=\(key.id)".utf8)
    text += Array("/20261123/us-east-1/chime/aws4_request,SignedHeaders=".utf8)
    text += Array(names.joined(separator: [0x3B])) + Array(", Signature=".utf8) + signature + [0x0D, 0x0A]
    for field in fields { text += field.name + [0x3A] + field.value + [0x0D, 0x0A] }
    return text + [0x0D, 0x0A] + body
  }

  /// Whether the signature that the Authorization field bears is that of the fields which it lists.
  func claimIsRight() -> Bool? {
    guard let authorization = values(of: "authorization").first, let date = values(of: "x-amz-date").first,
      let listed = Self.parameter("SignedHeaders=", of: authorization),
      let claimed = Self.parameter("Signature=", of: authorization)
    else { return nil }
    let names = listed.split(separator: 0x3B, omittingEmptySubsequences: false).map(Array.init)
    return Array(Hex.encode(signature(over: names, date: shown(date))).utf8) == claimed
  }

  private static func parameter(_ name: String, of authorization: [UInt8]) -> [UInt8]? {
    for part in authorization.dropFirst("AWS4-HMAC-SHA256 ".utf8.count).split(separator: 0x2C) {
      let part = part.drop { $0 == 0x20 }
      if part.starts(with: name.utf8) { return Array(part.dropFirst(name.utf8.count)) }
    }
    return nil
  }

  private func signature(over names: [[UInt8]], date: String) -> [UInt8] {
    var canonical = method + [0x0A]
    for byte in path {
      let isPlain = PercentCoding.isUnreserved(byte) || byte == UInt8(ascii: "/")
      canonical += isPlain ? [byte] : Array("%\(Hex.encode([byte]).uppercased())".utf8)
    }
    canonical += [0x0A] + query + [0x0A]
    for name in names {
      let values = fields.filter { Self.lower($0.name) == name }.map { field in
        Array(field.value.split { $0 == 0x20 || $0 == 0x09 }.joined(separator: [0x20]))
      }
      canonical += name + [0x3A] + Array(values.joined(separator: [0x2C])) + [0x0A]
    }
    canonical +=
      [0x0A] + Array(names.joined(separator: [0x3B])) + [0x0A] + Array(SHA256.digest(body).hex.utf8)
    let scope = ["\(date.prefix(8))", "us-east-1", "chime", "aws4_request"]
    let toSign =
      "AWS4-HMAC-SHA256\n\(date)\n\(scope.joined(separator: "/"))\n\(SHA256.digest(canonical).hex)"
    return (scope + [toSign]).reduce(Array("AWS4fuzz".utf8)) { derived, part in
      HMACSHA256.authenticate(Array(part.utf8), key: derived).bytes
    }
  }
}
