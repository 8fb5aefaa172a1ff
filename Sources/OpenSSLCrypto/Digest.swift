internal import COpenSSL
internal import Primitives

/// A SHA-256 value: 32 bytes, held inline.
package struct SHA256Digest: BitwiseCopyable, Hashable, Sendable {
  package private(set) var words: (UInt64, UInt64, UInt64, UInt64)

  init() { words = (0, 0, 0, 0) }

  /// `nil` unless there are exactly 32 bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    words = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  /// Reads exactly 64 lower-case digits. Other spellings of the same value are refused: two texts must
  /// not pass for one digest.
  package init?(lowercaseHex digits: ArraySlice<UInt8>) { self.init(lowercaseHex: digits.span.bytes) }

  /// The same, of bytes in place.
  package init?(lowercaseHex digits: RawSpan) {
    guard digits.byteCount == 64 else { return nil }
    var isHex = true
    // Two words of eight digits each give eight bytes, in the order in which they stand.
    func word(_ offset: Int) -> UInt64 {
      Self.bytes(ofHex: digits.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self), &isHex)
        | Self.bytes(ofHex: digits.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self), &isHex)
        << 32
    }
    let read = (word(0), word(16), word(32), word(48))
    guard isHex else { return nil }
    words = (
      UInt64(littleEndian: read.0), UInt64(littleEndian: read.1), UInt64(littleEndian: read.2),
      UInt64(littleEndian: read.3)
    )
  }

  /// The four bytes that eight lower-case digits stand for, the first of them lowest; all digits at once.
  @inline(__always)
  private static func bytes(ofHex loaded: UInt64, _ isHex: inout Bool) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let digits = UInt64(littleEndian: loaded)
    let isLetter = (digits &>> 6) & ones
    // A digit's value below 10, a letter's from 10 to 15; written back, it is the same character.
    let values = (digits & (ones &* 0x0F)) &+ isLetter &* 9
    let isTen = ((values &+ ones &* 6) &>> 4) & ones
    let written = values &+ ones &* 0x30 &+ isLetter &* 0x27
    isHex = isHex && written == digits && isTen == isLetter && values & (ones &* 0x10) == 0
    let pairs = (values &<< 4 | values &>> 8) & 0x00FF_00FF_00FF_00FF
    let quads = (pairs | pairs &>> 8) & 0x0000_FFFF_0000_FFFF
    return (quads | quads &>> 16) & 0xFFFF_FFFF
  }

  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: words, body)
  }

  package var bytes: [UInt8] { withBytes { Array($0) } }
  /// Lower-case hexadecimal, 64 characters.
  package var hex: String { Hex.encode(bytes) }

  package func appendHex(to out: inout [UInt8]) {
    // Written aside and copied at once: 64 single appends would each check for room.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
      writeHex(to: digits)
      out.append(contentsOf: UnsafeBufferPointer(digits))
    }
  }

  /// Whether `digits` is the 64 lower-case digits of this value, in a time that does not depend on where it is not.
  package func isWritten(as digits: Span<UInt8>) -> Bool {
    guard digits.count == 64 else { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { own in
      writeHex(to: own)
      return digits.withUnsafeBytes { CRYPTO_memcmp(own.baseAddress, $0.baseAddress, 64) == 0 }
    }
  }

  /// - Parameter digits: of 64 bytes.
  private func writeHex(to digits: UnsafeMutableBufferPointer<UInt8>) {
    let out = UnsafeMutableRawBufferPointer(digits)
    withBytes { bytes in
      for index in 0..<8 {
        let four = UInt32(bigEndian: bytes.load(fromByteOffset: 4 * index, as: UInt32.self))
        out.storeBytes(of: Hex.digits(four).littleEndian, toByteOffset: 8 * index, as: UInt64.self)
      }
    }
  }

  package static func == (left: Self, right: Self) -> Bool { left.words == right.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  /// The value that `body` writes to 32 bytes.
  init(writing body: (UnsafeMutablePointer<UInt8>) -> Void) {
    self.init()
    withUnsafeMutableBytes(of: &words) { buffer in
      buffer.withMemoryRebound(to: UInt8.self) { bytes in
        if let start = bytes.baseAddress { body(start) }
      }
    }
  }
}

package enum SHA256 {
  package static func digest(_ bytes: UnsafeRawBufferPointer) -> SHA256Digest {
    SHA256Digest { gh_sha256(bytes.baseAddress, bytes.count, $0) }
  }

  package static func digest(_ bytes: Span<UInt8>) -> SHA256Digest {
    bytes.withUnsafeBytes { digest($0) }
  }

  package static func digest(_ bytes: [UInt8]) -> SHA256Digest { digest(bytes.span) }

  package static func digest(_ bytes: ArraySlice<UInt8>) -> SHA256Digest { digest(bytes.span) }
}

/// HMAC-SHA-256 (RFC 2104) under a key that is used once. See `HMACKey` for one that is used again.
package enum HMACSHA256 {
  package static func authenticate(
    _ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> SHA256Digest {
    var prepared = gh_hmac_sha256_key()
    gh_hmac_sha256_key_init(&prepared, key.baseAddress, key.count)
    defer { OPENSSL_cleanse(&prepared, MemoryLayout.size(ofValue: prepared)) }
    return SHA256Digest { gh_hmac_sha256(&prepared, message.baseAddress, message.count, $0) }
  }

  package static func authenticate(_ message: [UInt8], key: [UInt8]) -> SHA256Digest {
    message.withUnsafeBytes { message in key.withUnsafeBytes { authenticate(message, key: $0) } }
  }

  package static func authenticate(_ message: [UInt8], key: SHA256Digest) -> SHA256Digest {
    message.withUnsafeBytes { message in key.withBytes { authenticate(message, key: $0) } }
  }
}

/// Equality whose duration does not depend on where the two differ.
package func constantTimeEqual(_ left: SHA256Digest, _ right: SHA256Digest) -> Bool {
  left.withBytes { left in right.withBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, 32) == 0 } }
}

package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count
    && left.withUnsafeBytes { left in
      right.withUnsafeBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, left.count) == 0 }
    }
}
