package import Primitives

extension SHA256Digest {
  /// Appends 64 lower-case hexadecimal digits.
  package func appendHex(to out: inout ByteBuffer) {
    out.append(hex: UInt64(bigEndian: words.0))
    out.append(hex: UInt64(bigEndian: words.1))
    out.append(hex: UInt64(bigEndian: words.2))
    out.append(hex: UInt64(bigEndian: words.3))
  }
}
