package import OpenSSLCrypto
package import Primitives

/// What the verifier has to know of an access key. It is made once, when tenants are loaded; requests share it.
package final class VerificationKey: Sendable {
  package let id: Text
  package let secret: Secret
  /// Set: the request must bear this token, signed.
  package let sessionToken: Secret?
  package let isRevoked: Bool
  /// The key is good until then.
  package let notAfter: WallClockTime?
  /// Whose it is, as whoever made the table numbers them.
  package let owner: Int

  package init(
    id: Text, secret: Secret, sessionToken: Secret? = nil, isRevoked: Bool = false,
    notAfter: WallClockTime? = nil, owner: Int = 0
  ) {
    self.id = id
    self.secret = secret
    self.sessionToken = sessionToken
    self.isRevoked = isRevoked
    self.notAfter = notAfter
    self.owner = owner
  }
}

/// Access keys, found by the bytes of their ids.
package final class AccessKeyTable: Sendable {
  /// Open addressing with linear probing, at most half full. Its keys come from a file of the operator's, so a caller
  /// cannot make it slow, and the hash need not be seeded.
  private let slots: [VerificationKey?]

  /// Of several keys with one id the first counts.
  package init(_ keys: [VerificationKey]) {
    var capacity = 4
    while capacity < 2 * keys.count { capacity *= 2 }
    var slots = [VerificationKey?](repeating: nil, count: capacity)
    for key in keys {
      let id = key.id.utf8
      var slot = Self.hash(id.span) & (capacity - 1)
      while slots[slot] != nil { slot = (slot + 1) & (capacity - 1) }
      slots[slot] = key
    }
    self.slots = slots
  }

  /// The key with this id, whatever its state.
  package func key(_ id: Span<UInt8>) -> VerificationKey? {
    var slot = Self.hash(id) & (slots.count - 1)
    while let candidate = slots[slot] {
      if id.holds(candidate.id) { return candidate }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// FNV-1a, 64 bits (RFC 9923), folded.
  private static func hash(_ bytes: Span<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in bytes.indices { hash = (hash ^ UInt64(bytes[unchecked: index])) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
