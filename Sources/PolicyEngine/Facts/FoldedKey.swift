internal import Primitives

/// A tag key, and what finds keys that differ from it only in case.
final class FoldedKey: Hashable, Sendable {
  let text: Text
  private let folded: [UInt8]
  /// The same for all keys that differ only in case, and hardly ever for others.
  let fingerprint: UInt64

  init(_ text: Text) {
    self.text = text
    folded = Self.fold(text.utf8.span)
    fingerprint = Self.fingerprint(of: text.utf8.span)
  }

  /// FNV-1a of the folded key.
  static func fingerprint(of key: Span<UInt8>) -> UInt64 {
    var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in key.indices {
      let byte = key[unchecked: index]
      guard byte < 0x80 else { return fold(key).reduce(0xCBF2_9CE4_8422_2325, mixed) }
      fingerprint = mixed(fingerprint, lowercased(byte))
    }
    return fingerprint
  }

  static func fingerprint(of key: Text) -> UInt64 { fingerprint(of: key.utf8.span) }

  @inline(__always)
  private static func mixed(_ fingerprint: UInt64, _ byte: UInt8) -> UInt64 {
    (fingerprint ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
  }

  /// Whether `other` is the same key in another case: as it would be written after upper and lower casing each
  /// scalar, so that `STRASSE` is `straße` and the Kelvin sign a `k`. Equal bytes are not.
  func differsOnlyInCase(from other: Span<UInt8>) -> Bool {
    if other.isASCII {
      guard other.count == folded.count else { return false }
      for index in folded.indices where Self.lowercased(other[unchecked: index]) != folded[index] {
        return false
      }
    } else if Self.fold(other) != folded {
      return false
    }
    return !other.holds(text)
  }

  func differsOnlyInCase(from other: Text) -> Bool { differsOnlyInCase(from: other.utf8.span) }

  /// Whether a tag of a request has exactly this key.
  @inline(__always)
  func isKey(_ key: Span<UInt8>, _ fingerprint: UInt64) -> Bool {
    fingerprint == self.fingerprint && key.holds(text)
  }

  private static func fold(_ key: Span<UInt8>) -> [UInt8] {
    var folded: [UInt8] = []
    guard !key.isASCII else {
      for index in key.indices { folded.append(lowercased(key[index])) }
      return folded
    }
    for scalar in key.uncheckedText.string.unicodeScalars {
      for upper in scalar.properties.uppercaseMapping.unicodeScalars {
        folded += upper.properties.lowercaseMapping.utf8
      }
    }
    return folded
  }

  @inline(__always)
  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  static func == (left: FoldedKey, right: FoldedKey) -> Bool { left.text == right.text }

  func hash(into hasher: inout Hasher) { hasher.combine(text) }
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
