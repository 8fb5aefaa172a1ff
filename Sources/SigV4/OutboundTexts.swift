internal import OpenSSLCrypto
internal import Primitives

/// The parts of outbound requests' signatures that are the same for all of one second: written once, then copied.
struct OutboundTexts: ~Copyable {
  private struct Key {
    let signer: Signer
    let key: SigningKey
    let second: Int64
  }

  /// `nil`: nothing is written yet.
  private let written: Key?
  private var bytes = ByteBuffer()
  /// In the form of X-Amz-Date.
  private var date = ByteSlice(0..<0)
  /// The names of the signed fields, Content-Type among them.
  private var names = ByteSlice(0..<0)
  /// The canonical lines of Host, X-Amz-Date and, if there is one, the session token.
  private var fields = ByteSlice(0..<0)
  /// The field lines of the wire, up to and with `SignedHeaders=`.
  private var lines = ByteSlice(0..<0)

  private static let contentType: StaticString = "content-type"

  init() { written = nil }

  init(of signer: Signer, key: SigningKey, at time: WallClockTime) {
    written = Key(signer: signer, key: key, second: time.seconds)
    bytes.reserve(512)
    date = append { $0.append(amzDate: time) }
    let token = signer.credentials.sessionToken
    names = append { bytes in
      bytes.append(Self.contentType)
      bytes.append(";host;x-amz-date")
      if token != nil { bytes.append(";x-amz-security-token") }
    }
    fields = append { bytes in
      bytes.append("host:")
      bytes.append(signer.host)
      bytes.append("\nx-amz-date:")
      bytes.append(amzDate: time)
      bytes.append(UInt8(ascii: "\n"))
      guard let token else { return }
      bytes.append("x-amz-security-token:")
      token.withBytes { bytes.append($0) }
      bytes.append(UInt8(ascii: "\n"))
    }
    lines = append { bytes in
      bytes.append("X-Amz-Date: ")
      bytes.append(amzDate: time)
      if let token {
        bytes.append("\r\nX-Amz-Security-Token: ")
        token.withBytes { bytes.append($0) }
      }
      bytes.append("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=")
      bytes.append(text: signer.credentials.accessKeyId)
      bytes.append(UInt8(ascii: "/"))
      bytes.append(key.scopeText)
      bytes.append(", SignedHeaders=")
    }
  }

  func areOf(_ signer: Signer, second: Int64) -> Bool {
    guard let written else { return false }
    return second == written.second && signer === written.signer
  }

  /// Appends the signature's field lines; see `Signer`.
  func sign(
    _ outbound: borrowing OutboundRequest, scratch: inout SigningScratch, into out: inout ByteBuffer
  ) {
    guard let key = written?.key else { return }
    let text = bytes.span
    let typeCount = Self.contentType.utf8CodeUnitCount
    let hasType = outbound.contentType != nil
    // Content-Type sorts first; without it the list begins behind it and its separator.
    let signed = text[names].extracting(droppingFirst: hasType ? 0 : typeCount + 1)

    scratch.request.begin(method: outbound.method, path: outbound.path, query: outbound.canonicalQuery)
    if let contentType = outbound.contentType {
      scratch.request.beginField(text[names].extracting(first: typeCount))
      scratch.request.append(value: contentType)
      scratch.request.endField()
    }
    scratch.request.append(lines: text[fields])
    scratch.request.finish(signedHeaders: signed, payloadHash: outbound.payloadHash)
    let signature = scratch.signature(date: text[date], key: key)

    out.append(text[lines])
    out.append(signed)
    out.append(", Signature=")
    signature.appendHex(to: &out)
    out.append("\r\n")
  }

  /// Where `write` has written.
  private mutating func append(_ write: (inout ByteBuffer) -> Void) -> ByteSlice {
    let start = bytes.count
    write(&bytes)
    return ByteSlice(start..<bytes.count)
  }
}
