import OpenSSLCrypto
import Primitives
import Testing

@testable import HTTPWire
@testable import SigV4

@Suite("Requests that botocore signed")
struct BotocoreVectorTests {
  @Test(
    "are accepted, with botocore's canonical request, string to sign and signature",
    arguments: ChimeVector.all)
  func verifies(vector: ChimeVector) throws {
    var workspace = SigningWorkspace()
    let result = try vector.request.verify(
      region: Text(vector.region), keys: [vector.key], now: try vector.now(), workspace: &workspace)
    #expect(string(workspace.request.bytes) == vector.canonicalRequest)
    #expect(string(workspace.stringToSign) == vector.stringToSign)
    let caller = try result.get()
    #expect(caller.signature.hex == vector.signature)
    #expect(caller.accessKeyId == Text(vector.accessKeyId))
    #expect(caller.payloadHash == SHA256.digest(vector.request.body))
  }

  @Test("are signed alike by the signer", arguments: ChimeVector.all)
  func signs(vector: ChimeVector) throws {
    let request = vector.request
    let authorization = try #require(request["Authorization"])
    let signed = try SignedNames(in: authorization)
    let written: Set = ["host", "content-type", "x-amz-date", "x-amz-security-token"]
    let more = signed.names.filter { !written.contains($0) }.map { name in
      let values = request.fields.filter { $0.name.lowercased() == name }.map(\.value)
      // The signer takes a name once; botocore trims each value before it joins them.
      let value = values.map { collapsed($0) }.joined(separator: ",")
      return SignedField(name: Text(name), value: Array(value.utf8)[...])
    }
    let contentType = signed.names.contains("content-type") ? request["Content-Type"] : nil
    let outbound = OutboundRequest(
      method: Array(request.method.utf8)[...],
      path: Array((request.target.split(separator: "?").first ?? "").utf8)[...],
      canonicalQuery: try CanonicalQuery(parsing: Array(request.query.utf8)).encoded[...],
      host: Array((request["Host"] ?? "").utf8)[...],
      contentType: contentType.map { Array($0.utf8)[...] }, moreFields: more.reversed(),
      payloadHash: SHA256.digest(request.body))
    let credentials = Credentials(
      accessKeyId: Text(vector.accessKeyId), secret: Secret(vector.secret.utf8),
      sessionToken: vector.sessionToken.map { Secret($0.utf8) })
    var workspace = SigningWorkspace()
    var out: [UInt8] = []
    Signer(region: Text(vector.region)).sign(
      outbound, with: credentials, at: try vector.now(), workspace: &workspace, into: &out)

    #expect(string(workspace.request.bytes) == vector.canonicalRequest)
    var expected = "X-Amz-Date: \(vector.time)\r\n"
    if let token = vector.sessionToken { expected += "X-Amz-Security-Token: \(token)\r\n" }
    expected += "Authorization: \(authorization)\r\n"
    #expect(string(out) == expected)
  }

  private func collapsed(_ value: String) -> String {
    value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
  }
}

/// The names in an Authorization header's SignedHeaders.
struct SignedNames {
  let names: [String]

  init(in authorization: String) throws {
    let list = try #require(authorization.split(separator: " ").first { $0.hasPrefix("SignedHeaders=") })
    names = list.dropFirst("SignedHeaders=".count).split(whereSeparator: { $0 == ";" || $0 == "," })
      .map(String.init)
  }
}
