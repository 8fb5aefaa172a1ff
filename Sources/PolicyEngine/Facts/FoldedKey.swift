internal import Primitives

/// A tag key, and what finds keys that differ from it only in case.
struct FoldedKey: Hashable, Sendable {
  let text: Text
  private let folded: [UInt8]
  /// The same for all keys that differ only in case, and hardly ever for others.
  let fingerprint: UInt64

  init(_ text: Text) {
    self.text = text
    folded = Self.fold(text)
    fingerprint = Self.fingerprint(of: text)
  }

  /// FNV-1a of the folded key.
  static func fingerprint(of key: Text) -> UInt64 {
    var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 {
      guard byte < 0x80 else { return fold(key).reduce(0xCBF2_9CE4_8422_2325, mixed) }
      fingerprint = mixed(fingerprint, lowercased(byte))
    }
    return fingerprint
  }

  @inline(__always)
  private static func mixed(_ fingerprint: UInt64, _ byte: UInt8) -> UInt64 {
    (fingerprint ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
  }

  /// Whether `other` is the same key in another case: as it would be written after upper and lower casing each
  /// scalar, so that `STRASSE` is `straße` and the Kelvin sign a `k`. Equal bytes are not.
  func differsOnlyInCase(from other: Text) -> Bool {
    let bytes = other.utf8
    if bytes.allSatisfy({ $0 < 0x80 }) {
      guard bytes.count == folded.count else { return false }
      for index in bytes.indices where Self.lowercased(bytes[index]) != folded[index] { return false }
    } else if Self.fold(other) != folded {
      return false
    }
    return other != text
  }

  private static func fold(_ text: Text) -> [UInt8] {
    guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text.utf8.map(lowercased) }
    var folded: [UInt8] = []
    for scalar in text.string.unicodeScalars {
      for upper in scalar.properties.uppercaseMapping.unicodeScalars {
        folded += upper.properties.lowercaseMapping.utf8
      }
    }
    return folded
  }

  @inline(__always)
  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

extension Text {
  /// Whether some other key differs from it only in case.
  var hasOtherCase: Bool {
    string.unicodeScalars.contains { scalar in
      let itself = String(scalar)
      return scalar.properties.lowercaseMapping != itself || scalar.properties.uppercaseMapping != itself
    }
  }
}
