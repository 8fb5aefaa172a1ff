internal import Primitives

/// A tag key, and what finds keys that differ from it only in case.
final class FoldedKey: Hashable, Sendable {
  let text: Text
  private let folded: [UInt8]
  /// The same for all keys that differ only in case, and hardly ever for others.
  let fingerprint: UInt64

  init(_ text: Text) {
    self.text = text
    folded = Self.folded(text.utf8.span)
    fingerprint = Self.fingerprint(of: text.utf8.span)
  }

  /// A hash of the folded key.
  static func fingerprint(of key: Span<UInt8>) -> UInt64 {
    guard key.isASCII else { return hash(folded(key).span) }
    return hash(key)
  }

  static func fingerprint(of key: Text) -> UInt64 { fingerprint(of: key.utf8.span) }

  /// Eight bytes at a time, ASCII letters in lower case; what is not ASCII is folded already.
  @inline(__always)
  private static func hash(_ key: Span<UInt8>) -> UInt64 {
    var hash = mixed(0, UInt64(key.count))
    var index = 0
    while index &+ 8 < key.count {
      hash = mixed(hash, lowercased(key.word(at: index)))
      index &+= 8
    }
    return mixed(hash, lowercased(key.lastWord))
  }

  /// After a multiplication, the bits that come from all others are the upper ones.
  @inline(__always)
  private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product &>> 32)
  }

  /// All bytes that are capital ASCII letters in lower case.
  @inline(__always)
  static func lowercased(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let low = word & (ones &* 0x7F)
    // The upper bit of each byte says whether the seven below it are at least `A`, or beyond `Z`.
    let (fromA, beyondZ) = (low &+ (ones &* 0x3F), low &+ (ones &* 0x25))
    let isCapital = (fromA ^ beyondZ) & ~word & (ones &* 0x80)
    return word | isCapital &>> 2
  }

  /// Whether `other` is the same key in another case: as it would be written after upper and lower casing each
  /// scalar, so that `STRASSE` is `straße` and the Kelvin sign a `k`. Equal bytes are not.
  func differsOnlyInCase(from other: Span<UInt8>) -> Bool {
    if other.isASCII {
      guard other.count == folded.count else { return false }
      for index in folded.indices where Self.lowercased(other[unchecked: index]) != folded[index] {
        return false
      }
    } else if Self.folded(other) != folded {
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

  static func folded(_ key: Text) -> Text { Text(uncheckedUTF8: folded(key.utf8.span)) }

  /// As it would be written after upper and lower casing each scalar.
  static func folded(_ key: Span<UInt8>) -> [UInt8] {
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
  static func lowercased(_ byte: UInt8) -> UInt8 {
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
