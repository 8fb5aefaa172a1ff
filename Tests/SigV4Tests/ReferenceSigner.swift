import OpenSSLCrypto
import Primitives
import Testing

@testable import SigV4

extension WireRequest {
  /// The field lines that `signer` appends for this request.
  func signed(
    by signer: Signer, contentType: String?, at time: WallClockTime, workspace: inout SigningWorkspace
  ) throws -> String {
    let path = Array((target.split(separator: "?").first ?? "").utf8)
    let query = try CanonicalQuery(parsing: Array(query.utf8)).encoded
    let value = contentType.map { Array($0.utf8) }
    let method = Array(method.utf8)
    let hash = SHA256.digest(body)
    var out = ByteBuffer()
    signer.sign(
      OutboundRequest(
        method: method.span, path: path.span, canonicalQuery: query.span, contentType: value?.span,
        payloadHash: hash), at: time, workspace: &workspace, into: &out)
    return string(out.array)
  }

  /// Signs every field of the request, plainly, as the AWS General Reference describes it; it shares nothing with the
  /// signer and the verifier but the hash functions and the canonical query.
  mutating func sign(with key: VerificationKey, at time: WallClockTime, region: String) throws {
    let date = string(time.amzDate)
    fields.append(("X-Amz-Date", date))
    if let token = key.sessionToken {
      fields.append(("X-Amz-Security-Token", token.withBytes { string($0) }))
    }
    let names = Set(fields.map { $0.name.lowercased() }).sorted()
    let lines = names.map { name in
      let values = fields.filter { $0.name.lowercased() == name }.map { field in
        field.value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
      }
      return name + ":" + values.joined(separator: ",") + "\n"
    }
    var path: [UInt8] = []
    PercentCoding.encode(target.prefix { $0 != "?" }.utf8, keeping: UInt8(ascii: "/"), into: &path)
    let canonical = [
      method, string(path), string(try CanonicalQuery(parsing: Array(query.utf8)).encoded), lines.joined(),
      names.joined(separator: ";"), SHA256.digest(body).hex,
    ].joined(separator: "\n")
    let scope = "\(date.prefix(8))/\(region)/chime/aws4_request"
    let toSign = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(SHA256.digest(Array(canonical.utf8)).hex)"
    var derived = key.secret.withBytes { Array("AWS4".utf8) + $0 }
    for part in scope.split(separator: "/").map(String.init) + [toSign] {
      derived = HMACSHA256.authenticate(Array(part.utf8), key: derived).bytes
    }
    fields.append(
      (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=\(key.id)/\(scope), SignedHeaders=\(names.joined(separator: ";")), "
          + "Signature=\(Hex.encode(derived))"
      ))
  }
}
