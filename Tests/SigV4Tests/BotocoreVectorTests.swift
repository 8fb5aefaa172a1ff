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
    #expect(string(workspace.scratch.request.bytes.array) == vector.canonicalRequest)
    #expect(string(workspace.scratch.stringToSign.array) == vector.stringToSign)
    let caller = try result.get()
    #expect(caller.signature.hex == vector.signature)
    #expect(caller.key.id == Text(vector.accessKeyId))
    #expect(caller.payloadHash == SHA256.digest(vector.request.body))
  }

  /// Those whose signed fields are the ones that the signer signs.
  static let signable = ChimeVector.all.filter { vector in
    let names = (vector.request["Authorization"]).flatMap { try? SignedNames(in: $0).names } ?? []
    let usual: Set = ["host", "content-type", "x-amz-date", "x-amz-security-token"]
    return usual.isSuperset(of: names)
      && (vector.sessionToken == nil || names.contains("x-amz-security-token"))
  }

  @Test("are signed alike by the signer", arguments: signable)
  func signs(vector: ChimeVector) throws {
    let request = vector.request
    let authorization = try #require(request["Authorization"])
    let signed = try SignedNames(in: authorization)
    let contentType = signed.names.contains("content-type") ? request["Content-Type"] : nil
    let credentials = Credentials(
      accessKeyId: Text(vector.accessKeyId), secret: Secret(vector.secret.utf8),
      sessionToken: vector.sessionToken.map { Secret($0.utf8) })
    let signer = Signer(
      SigningScope(region: Text(vector.region)), credentials: credentials,
      host: Array((request["Host"] ?? "").utf8))
    var workspace = SigningWorkspace()
    let out = try request.signed(
      by: signer, contentType: contentType, at: try vector.now(), workspace: &workspace)

    #expect(string(workspace.scratch.request.bytes.array) == vector.canonicalRequest)
    var expected = "X-Amz-Date: \(vector.time)\r\n"
    if let token = vector.sessionToken { expected += "X-Amz-Security-Token: \(token)\r\n" }
    expected += "Authorization: \(authorization)\r\n"
    #expect(out == expected)
  }

  @Test("are mostly of a kind that the signer signs, too")
  func countsWhatIsSignable() { #expect(Self.signable.count >= 3) }
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
