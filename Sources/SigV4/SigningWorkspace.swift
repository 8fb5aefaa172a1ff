internal import OpenSSLCrypto
internal import Primitives

/// What one loop keeps between requests to verify and sign: derived keys and buffers that have
/// already grown. One request at a time uses it.
package struct SigningWorkspace: Sendable {
  package var keys: SigningKeyCache
  var request = CanonicalRequest()
  /// Reused for the list of signed fields.
  var signedHeaders: [UInt8] = []
  private(set) var stringToSign: [UInt8] = []
  private var date = TimeStamp(second: .min, text: [], day: 0)

  package init(keys: SigningKeyCache = SigningKeyCache()) {
    self.keys = keys
  }

  /// A second as SigV4 writes it.
  struct TimeStamp: Sendable {
    let second: Int64
    /// `20261123T130000Z`
    let text: [UInt8]
    /// `20261123`
    let day: Int
  }

  /// The stamp of `time`, written once a second.
  mutating func stamp(of time: WallClockTime) -> TimeStamp {
    if date.second != time.seconds {
      date = TimeStamp(second: time.seconds, text: time.amzDate, day: CivilDate(time).scopeDay)
    }
    return date
  }

  /// The signature of the finished canonical request: string to sign (step 3) and HMAC (step 5).
  mutating func signature(date: ArraySlice<UInt8>, key: SigningKey) -> SHA256Digest {
    stringToSign.removeAll(keepingCapacity: true)
    stringToSign.append("AWS4-HMAC-SHA256\n")
    stringToSign.append(contentsOf: date)
    stringToSign.append(UInt8(ascii: "\n"))
    stringToSign.append(contentsOf: key.scopeText)
    stringToSign.append(UInt8(ascii: "\n"))
    SHA256.digest(request.bytes).appendHex(to: &stringToSign)
    return key.signature(of: stringToSign)
  }
}

extension CivilDate {
  /// `20261123`
  var scopeDay: Int { year * 10_000 + month * 100 + day }
}
