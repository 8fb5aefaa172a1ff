internal import OpenSSLCrypto
internal import Primitives

/// A canonical request (AWS General Reference, "Create a signed AWS API request", step 1), written
/// line by line into one buffer that is used again for the next request.
///
/// The path is encoded once more as it came, segment by segment, as for every service but S3. It is
/// not normalised here: the head parser refuses paths for which that would make a difference.
struct CanonicalRequest: ~Copyable {
  private(set) var bytes = ByteBuffer(capacity: 1024)

  /// The first three lines; `query` is canonical already.
  mutating func begin(method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>) {
    bytes.removeAll()
    bytes.append(method)
    bytes.append(Self.newline)
    appendEncoded(path)
    bytes.append(Self.newline)
    bytes.append(query)
    bytes.append(Self.newline)
  }

  /// Opens the line of a field; `name` is in lower case.
  mutating func beginField(_ name: Span<UInt8>) {
    bytes.append(name)
    bytes.append(UInt8(ascii: ":"))
  }

  /// A value without surrounding whitespace, and with each inner run of it as one space.
  mutating func append(value: Span<UInt8>) {
    if Self.isPlain(value) { bytes.append(value) } else { appendCollapsed(value) }
  }

  /// Lines that are canonical already, each with its end.
  mutating func append(lines: Span<UInt8>) { bytes.append(lines) }

  /// Stands between the values of a field that has several lines.
  mutating func separateValues() { bytes.append(UInt8(ascii: ",")) }

  mutating func endField() { bytes.append(Self.newline) }

  /// The empty line, the list of signed fields and the hash of the payload.
  mutating func finish(signedHeaders: Span<UInt8>, payloadHash: SHA256Digest) {
    bytes.append(Self.newline)
    bytes.append(signedHeaders)
    bytes.append(Self.newline)
    payloadHash.appendHex(to: &bytes)
  }

  private static let newline = UInt8(ascii: "\n")

  private mutating func appendEncoded(_ path: Span<UInt8>) {
    // Stretches that stay as they are, which is nearly all of a path, are copied at once.
    var start = 0
    for index in path.indices {
      let byte = path[index]
      if PercentCoding.isUnreserved(byte) || byte == UInt8(ascii: "/") { continue }
      bytes.append(path.extracting(start..<index))
      bytes.append(UInt8(ascii: "%"))
      bytes.append(PercentCoding.upperDigit(byte >> 4))
      bytes.append(PercentCoding.upperDigit(byte & 15))
      start = index + 1
    }
    bytes.append(path.extracting(start..<path.count))
  }

  private static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  /// Whether there is nothing to trim or to collapse.
  private static func isPlain(_ value: Span<UInt8>) -> Bool {
    // The start counts as whitespace, so that a leading space is a run.
    var afterSpace = true
    var index = 0
    let raw = value.bytes
    while index < value.count {
      // Eight at a time as long as none is a space or a control. In bounds by the condition.
      if index &+ 8 <= value.count,
        Self.hasNoBlank(raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
      {
        afterSpace = false
        index &+= 8
        continue
      }
      let byte = value[unchecked: index]
      if byte == UInt8(ascii: "\t") { return false }
      let isSpace = byte == UInt8(ascii: " ")
      if isSpace && afterSpace { return false }
      afterSpace = isSpace
      index &+= 1
    }
    return !afterSpace
  }

  /// Whether all eight bytes are above the space and below 0x80; `false` may also be said of others.
  private static func hasNoBlank(_ word: UInt64) -> Bool {
    ((word &- 0x2121_2121_2121_2121) | word) & 0x8080_8080_8080_8080 == 0
  }

  private mutating func appendCollapsed(_ value: Span<UInt8>) {
    var isPending = false
    var isFirst = true
    for index in value.indices {
      let byte = value[index]
      if Self.isWhitespace(byte) {
        isPending = true
        continue
      }
      if isPending && !isFirst { bytes.append(UInt8(ascii: " ")) }
      isPending = false
      isFirst = false
      bytes.append(byte)
    }
  }
}
