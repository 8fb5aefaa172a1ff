internal import OpenSSLCrypto
internal import Primitives

/// What one loop keeps between requests to verify and sign: derived keys, buffers that have already grown, and texts
/// that are the same for many requests. One request at a time uses it.
package struct SigningWorkspace: ~Copyable {
  private var keys: SigningKeyCache
  var scratch = SigningScratch()
  var dates = AmzDateReader()
  private var outbound = OutboundTexts()

  package init(keys: consuming SigningKeyCache = SigningKeyCache()) {
    self.keys = keys
  }

  mutating func signingKey(of secret: Secret, in scope: SigningScope, day: Int) -> SigningKey {
    keys.signingKey(of: secret, in: scope, day: day)
  }

  /// Signs a request of the gateway's own; see `Signer`.
  mutating func sign(
    _ request: borrowing OutboundRequest, by signer: Signer, at time: WallClockTime,
    into out: inout ByteBuffer
  ) {
    if !outbound.areOf(signer, second: time.seconds) {
      let day = CivilDate(time).scopeDay
      let key = keys.signingKey(of: signer.credentials.secret, in: signer.scope, day: day)
      outbound = OutboundTexts(of: signer, key: key, at: time)
    }
    outbound.sign(request, scratch: &scratch, into: &out)
  }
}

/// The two texts that a signature is made of (AWS General Reference, "Create a signed AWS API request").
struct SigningScratch: ~Copyable {
  var request = CanonicalRequest()
  private(set) var stringToSign = ByteBuffer(capacity: 256)

  /// The signature of the finished canonical request: string to sign (step 3) and HMAC (step 5).
  /// - Parameter date: in the form of X-Amz-Date.
  mutating func signature(date: Span<UInt8>, key: SigningKey) -> SHA256Digest {
    stringToSign.removeAll()
    stringToSign.append("AWS4-HMAC-SHA256\n")
    stringToSign.append(date)
    stringToSign.append(UInt8(ascii: "\n"))
    stringToSign.append(key.scopeText)
    stringToSign.append(UInt8(ascii: "\n"))
    SHA256.digest(request.bytes.span).appendHex(to: &stringToSign)
    return key.signature(of: stringToSign.span)
  }
}

/// Reads X-Amz-Date. Requests of one second bear the same, so the last one is remembered.
struct AmzDateReader: Sendable {
  private var text: (UInt64, UInt64)
  private var time = WallClockTime(nanoseconds: 0)
  private var day = 19_700_101

  init() {
    // What is remembered has to be true from the beginning.
    let epoch = Array("19700101T000000Z".utf8)
    text = Self.words(epoch.span)
  }

  /// The time and its UTC day (`20261123`); `nil` unless `bytes` is a real time, written `YYYYMMDDTHHMMSSZ`.
  mutating func read(_ bytes: Span<UInt8>) -> (time: WallClockTime, day: Int)? {
    guard bytes.count == 16 else { return nil }
    let words = Self.words(bytes)
    if words == text { return (time, day) }
    guard let read = WallClockTime(amzDate: bytes) else { return nil }
    text = words
    time = read
    day = CivilDate(read).scopeDay
    return (time, day)
  }

  /// Of sixteen bytes.
  private static func words(_ bytes: Span<UInt8>) -> (UInt64, UInt64) {
    (
      bytes.bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
      bytes.bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
    )
  }
}
