/// A set of bytes.
package struct ByteSet: Equatable, Sendable, BitwiseCopyable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  package static let all = ByteSet(words: (.max, .max, .max, .max))

  package init() {}

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// PCRE2 does not say whether a byte stands for itself in one case only.
  init(inAnyCase unit: UInt32) {
    guard let byte = UInt8(exactly: unit), byte < 0x80 else {
      self = .all
      return
    }
    insert(byte)
    if (0x61...0x7A).contains(byte | 0x20) { insert(byte ^ 0x20) }
  }

  /// - Parameter bitmap: 32 bytes, the bit of byte 0 first.
  init(bitmap: UnsafePointer<UInt8>) {
    for byte in 0...UInt8.max where bitmap[Int(byte >> 3)] >> (byte & 7) & 1 == 1 { insert(byte) }
  }

  package func contains(_ byte: UInt8) -> Bool {
    let bit: UInt64 = 1 << UInt64(byte & 63)
    return switch byte >> 6 {
    case 0: words.0 & bit != 0
    case 1: words.1 & bit != 0
    case 2: words.2 & bit != 0
    default: words.3 & bit != 0
    }
  }

  @inline(__always)
  package mutating func insert(_ byte: UInt8) {
    let bit: UInt64 = 1 << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  @inline(__always)
  func meets(_ other: ByteSet) -> Bool {
    words.0 & other.words.0 | words.1 & other.words.1 | words.2 & other.words.2 | words.3 & other.words.3 != 0
  }

  package static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }
}
