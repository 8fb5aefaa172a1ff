import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import HTTPWire
@testable import SigV4

@Suite("What the signer signs")
struct SignVerifyPropertyTests {
  static let now = WallClockTime(seconds: 1_795_438_800)
  static let secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)

  @Test("verifies, whatever the request", arguments: [1, 2, 3, 4] as [UInt64])
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var workspace = SigningWorkspace()
    for round in 0..<200 {
      let (request, key) = try signedRequest(&random, workspace: &workspace)
      let result = try request.verify(keys: [key], now: Self.now, workspace: &workspace)
      #expect(result.failure == nil, "round \(round): \(request)")
    }
  }

  @Test("does not verify with any bit of it changed", arguments: [5, 6] as [UInt64])
  func everyBitCounts(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var workspace = SigningWorkspace()
    for _ in 0..<3 {
      let (request, key) = try signedRequest(&random, workspace: &workspace, signsAll: true)
      try expectNoFlipPasses(request, key: key, workspace: &workspace)
    }
  }

  private func expectNoFlipPasses(
    _ request: WireRequest, key: VerificationKey, workspace: inout SigningWorkspace
  ) throws {
    let head = request.head()
    let query = try CanonicalQuery(parsing: Array(request.query.utf8)).encoded
    var ranges = [head.method.range, head.path.range] + head.lines.array.map(\.value.range)
    if let range = head.query { ranges.append(range.range) }
    for position in ranges.joined() {
      for bit in 0..<8 {
        var bytes = head.bytes
        bytes[position] ^= 1 << UInt8(bit)
        let changed = head.replacing(bytes)
        let changedQuery = try? CanonicalQuery(parsing: changed.query.map { bytes[$0] } ?? []).encoded
        guard let changedQuery else { continue }
        // `%3a` for `%3A` is another spelling of one query.
        if changedQuery == query && head.query?.range.contains(position) == true { continue }
        let passes = verifies(
          changed, query: changedQuery, body: request.body, key: key, workspace: &workspace)
        #expect(!passes, "byte \(position) bit \(bit) of \(string(head.bytes))")
      }
    }
    for position in request.body.indices {
      var body = request.body
      body[position] ^= 1
      let passes = verifies(head, query: query, body: body, key: key, workspace: &workspace)
      #expect(!passes, "body byte \(position)")
    }
  }

  private func verifies(
    _ head: RequestHead, query: [UInt8], body: [UInt8], key: VerificationKey,
    workspace: inout SigningWorkspace
  ) -> Bool {
    let verifier = Verifier(
      VerifierSettings(
        scopes: PerRegion(SigningScope(region: "us-east-1")), clockSkewNanoseconds: 300_000_000_000))
    let caller = try? verifier.verify(
      head, canonicalQuery: query.span, body: body.span, now: Self.now, keys: AccessKeyTable([key]),
      workspace: &workspace)
    return caller != nil
  }

  /// A random request, signed and put on the wire as a client would.
  private func signedRequest(
    _ random: inout SeededGenerator, workspace: inout SigningWorkspace, signsAll: Bool = false
  ) throws -> (WireRequest, VerificationKey) {
    let path =
      "/"
      + (0..<Int.random(in: 1...4, using: &random)).map { _ in
        escaped(randomText(1...20, &random))
      }.joined(separator: "/")
    let query = (0..<Int.random(in: 0...3, using: &random)).map { _ in
      escaped(randomText(1...8, &random)) + "=" + escaped(randomText(0...12, &random))
    }.joined(separator: "&")
    let hasToken = Bool.random(using: &random)
    let token = hasToken ? Secret(escaped(randomText(1...80, &random)).utf8) : nil
    let actor = randomValue(&random)
    let body = Array(randomText(0...200, &random).utf8)
    let contentType = Bool.random(using: &random) ? "application/json" : nil
    let method = try #require(["GET", "POST", "PUT", "DELETE"].randomElement(using: &random))

    var fields = [("Host", "h.example:8080"), ("X-Gatehouse-Actor", actor), ("Accept", "*/*")]
    if let contentType { fields.append(("Content-Type", contentType)) }
    let target = query.isEmpty ? path : path + "?" + query
    var request = WireRequest(method: method, target: target, fields: fields, body: body)
    let key = VerificationKey(id: "GHAKTEST", secret: Self.secret, sessionToken: token)
    if !signsAll, Bool.random(using: &random) {
      let credentials = Credentials(accessKeyId: key.id, secret: Self.secret, sessionToken: token)
      let signer = Signer(
        SigningScope(region: "us-east-1"), credentials: credentials, host: Array("h.example:8080".utf8))
      let lines = try request.signed(
        by: signer, contentType: contentType, at: Self.now, workspace: &workspace)
      for line in lines.split(separator: "\r\n") {
        let name = line.prefix { $0 != ":" }
        request.fields.append((String(name), String(line.dropFirst(name.count + 2))))
      }
    } else {
      // Fields that the signer does not sign, and an implementation that has nothing in common with it.
      try request.sign(with: key, at: Self.now, region: "us-east-1")
    }
    return (request, key)
  }

  private func randomText(_ length: ClosedRange<Int>, _ random: inout SeededGenerator) -> String {
    let alphabet = Array("abzAZ019-._~ /:%+&=;?é山🚪\"'")
    return String(
      (0..<Int.random(in: length, using: &random)).compactMap { _ in
        alphabet.randomElement(using: &random)
      })
  }

  /// A field value with runs of spaces inside and no whitespace at its ends.
  private func randomValue(_ random: inout SeededGenerator) -> String {
    let words = (0..<Int.random(in: 1...4, using: &random)).map { _ in
      escaped(randomText(1...6, &random))
    }
    return words.joined(separator: String(repeating: " ", count: Int.random(in: 1...3, using: &random)))
  }

  private func escaped(_ text: String) -> String {
    var out: [UInt8] = []
    PercentCoding.encode(text.utf8, into: &out)
    return string(out)
  }
}

extension RequestHead {
  /// The same head with other bytes of the same length.
  fileprivate func replacing(_ bytes: [UInt8]) -> RequestHead {
    RequestHead(
      bytes: bytes, method: method, path: path, query: query, fields: lines.array, keepAlive: keepAlive)
  }
}
