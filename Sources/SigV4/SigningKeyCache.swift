package import OpenSSLCrypto
package import Primitives

/// Where a signature is good: one day, one region, one service.
package struct CredentialScope: Hashable, Sendable {
  /// The UTC day as a number, `20261123`.
  package let day: Int
  package let region: Text
  package let service: Text

  package init(day: Int, region: Text, service: Text) {
    self.day = day
    self.region = region
    self.service = service
  }

  /// `20261123/us-east-1/chime/aws4_request`
  var text: [UInt8] {
    var out: [UInt8] = []
    out.append(decimal: day, width: 8)
    out.append(UInt8(ascii: "/"))
    out.append(text: region)
    out.append(UInt8(ascii: "/"))
    out.append(text: service)
    out.append("/aws4_request")
    return out
  }
}

/// What signs under one secret in one scope.
package final class SigningKey: Sendable {
  let scope: CredentialScope
  let scopeText: [UInt8]
  private let key: HMACKey

  /// Four HMACs (AWS General Reference, "Create a signed AWS API request", step 4).
  init(secret: Secret, scope: CredentialScope) {
    self.scope = scope
    scopeText = scope.text
    var day: [UInt8] = []
    day.append(decimal: scope.day, width: 8)
    let initial = secret.withBytes { Secret(Array("AWS4".utf8) + $0) }
    var digest = initial.withBytes { HMACKey($0).authenticate(day) }
    for part in [scope.region.utf8, scope.service.utf8, Array("aws4_request".utf8)] {
      digest = HMACSHA256.authenticate(part, key: digest)
    }
    key = digest.withBytes { HMACKey($0) }
  }

  func signature(of stringToSign: [UInt8]) -> SHA256Digest { key.authenticate(stringToSign) }
}

/// Signing keys, derived once per access key, secret and scope: four HMACs that every request of
/// a day would repeat. Owned by one loop, so there is nothing to lock.
///
/// An entry answers only for the very `Secret` it was derived from, so a rotated secret never meets
/// a key of the one before. Entries hold their `Secret`, so its identity cannot pass to another.
package struct SigningKeyCache: Sendable {
  private struct Entry: Sendable {
    let secret: Secret
    let key: SigningKey
  }

  /// Newest first. Two, because around midnight requests of both days arrive.
  private var entries: [Text: [Entry]] = [:]
  private let capacity: Int
  private static let entriesPerKey = 2

  /// `capacity`: the number of access keys. One more empties the cache, which costs each key its
  /// derivation (microseconds) and keeps memory bounded without bookkeeping on every hit.
  package init(capacity: Int = 4096) {
    self.capacity = capacity
  }

  package mutating func signingKey(
    accessKeyId: Text, secret: Secret, scope: CredentialScope
  ) -> SigningKey {
    let known = entries[accessKeyId]
    if let known {
      for entry in known where entry.secret === secret && entry.key.scope == scope { return entry.key }
    }
    let entry = Entry(secret: secret, key: SigningKey(secret: secret, scope: scope))
    if known == nil && entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
    let kept = (known ?? []).filter { $0.secret === secret }.prefix(Self.entriesPerKey - 1)
    entries[accessKeyId] = [entry] + kept
    return entry.key
  }

  package var count: Int { entries.count }
}
