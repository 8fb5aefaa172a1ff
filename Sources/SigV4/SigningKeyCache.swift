package import OpenSSLCrypto
package import Primitives

/// Where signatures are good, but for the day: one region, one service.
package final class SigningScope: Sendable {
  package let region: Text
  package let service: Text

  package init(region: Text, service: Text = "chime") {
    self.region = region
    self.service = service
  }

  /// `20261123/us-east-1/chime/aws4_request`
  func append(day: Int, to out: inout ByteBuffer) {
    out.append(decimal: day, width: 8)
    out.append(UInt8(ascii: "/"))
    out.append(text: region)
    out.append(UInt8(ascii: "/"))
    out.append(text: service)
    out.append("/aws4_request")
  }
}

/// What signs under one secret, in one scope, on one day.
package final class SigningKey: Sendable {
  let secret: Secret
  let scope: SigningScope
  /// The UTC day as a number, `20261123`.
  let day: Int
  /// The scope with the day, as it is signed.
  let scopeText: [UInt8]
  private let key: HMACKey

  /// Four HMACs (AWS General Reference, "Create a signed AWS API request", step 4).
  init(secret: Secret, scope: SigningScope, day: Int) {
    self.secret = secret
    self.scope = scope
    self.day = day
    var text = ByteBuffer(capacity: 64)
    scope.append(day: day, to: &text)
    scopeText = text.array
    let initial = secret.withBytes { Secret(Array("AWS4".utf8) + $0) }
    var digest = initial.withBytes { key in
      text.withBytes { HMACSHA256.authenticate(UnsafeRawBufferPointer(rebasing: $0[..<8]), key: key) }
    }
    for part in [scope.region.utf8, scope.service.utf8, Array("aws4_request".utf8)] {
      digest = HMACSHA256.authenticate(part, key: digest)
    }
    key = digest.withBytes { HMACKey($0) }
  }

  func signature(of stringToSign: Span<UInt8>) -> SHA256Digest { key.authenticate(stringToSign) }
}

/// Signing keys, derived once per secret, scope and day: four HMACs that every request of a day would repeat.
/// Owned by one loop, so there is nothing to lock.
///
/// A key answers only for the very objects `Secret` and `SigningScope` it was derived from, so a rotated secret never
/// meets a key of the one before. The key holds both, so their identity cannot pass to others.
package struct SigningKeyCache: ~Copyable {
  /// Pairs of places. A key stands in one of the two that its secret and day hash to, the newer one first; what both
  /// hold is pushed out, which costs its owner a derivation (microseconds).
  private var slots: [SigningKey?]

  /// - Parameter capacity: rounded up to a power of two.
  package init(capacity: Int = 2048) {
    var size = 2
    while size < capacity { size *= 2 }
    slots = Array(repeating: nil, count: size)
  }

  package mutating func signingKey(of secret: Secret, in scope: SigningScope, day: Int) -> SigningKey {
    let first = place(of: secret, day: day)
    if let key = slots[first], key.secret === secret, key.day == day, key.scope === scope { return key }
    if let key = slots[first + 1], key.secret === secret, key.day == day, key.scope === scope { return key }
    let key = SigningKey(secret: secret, scope: scope, day: day)
    slots[first + 1] = slots[first]
    slots[first] = key
    return key
  }

  /// The first of the pair. Addresses and days differ in few bits; this is MurmurHash3's way to let each bit tell on all.
  private func place(of secret: Secret, day: Int) -> Int {
    let bits = UInt64(UInt(bitPattern: ObjectIdentifier(secret))) ^ UInt64(truncatingIfNeeded: day)
    var mixed = (bits ^ bits &>> 33) &* 0xFF51_AFD7_ED55_8CCD
    mixed = (mixed ^ mixed &>> 33) &* 0xC4CE_B9FE_1A85_EC53
    return Int(truncatingIfNeeded: mixed &>> 33) & (slots.count - 2)
  }
}

extension CivilDate {
  /// `20261123`
  var scopeDay: Int { year * 10_000 + month * 100 + day }
}
