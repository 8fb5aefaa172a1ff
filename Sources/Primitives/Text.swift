/// UTF-8 text that is compared, ordered and hashed by its bytes.
///
/// `String` compares by canonical equivalence, so two tag keys that AWS keeps apart would be one
/// key to a policy. Whatever comes from a request, or is compared with it, is a `Text`.
@usableFromInline package struct Text: Hashable, Sendable, Comparable {
  @usableFromInline package let utf8: [UInt8]

  /// The caller vouches that `utf8` is well-formed UTF-8 (the JSON and header readers check it).
  @inlinable package init(uncheckedUTF8 utf8: [UInt8]) {
    self.utf8 = utf8
  }

  @inlinable package init(_ string: String) {
    utf8 = Array(string.utf8)
  }

  /// `nil` when the bytes are not well-formed UTF-8 (RFC 3629).
  @inlinable package init?(validating bytes: some Sequence<UInt8>) {
    let copy = Array(bytes)
    guard String(validating: copy, as: UTF8.self) != nil else { return nil }
    utf8 = copy
  }

  @inlinable package var string: String { String(decoding: utf8, as: UTF8.self) }
  @inlinable package var isEmpty: Bool { utf8.isEmpty }

  /// The number of Unicode scalars, which is how the service model and policies count length.
  @inlinable package var scalarCount: Int { utf8.span.scalarCount }

  @inlinable package static func < (left: Text, right: Text) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// One call for all bytes; the synthesised form makes one for each.
  @inlinable package func hash(into hasher: inout Hasher) {
    hasher.combine(utf8.count)
    utf8.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  package static func + (left: Text, right: Text) -> Text {
    Text(uncheckedUTF8: left.utf8 + right.utf8)
  }

  package func hasPrefix(_ prefix: Text) -> Bool { utf8.starts(with: prefix.utf8) }
}

extension Text: ExpressibleByStringLiteral, CustomStringConvertible {
  @inlinable package init(stringLiteral value: String) { self.init(value) }
  @inlinable package var description: String { string }
}

extension Span<UInt8> {
  /// Unicode scalars in well-formed UTF-8: all bytes but continuations.
  @inlinable package var scalarCount: Int {
    var count = 0
    for index in 0..<self.count {
      // The upper two bits say it; without a branch many bytes are counted at a time.
      let byte = self[unchecked: index]
      count &+= Int((byte &>> 7 ^ 1) | (byte &>> 6 & 1))
    }
    return count
  }
}
