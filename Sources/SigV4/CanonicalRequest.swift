internal import OpenSSLCrypto
internal import Primitives

/// A canonical request (AWS General Reference, "Create a signed AWS API request", step 1), written
/// line by line into one buffer that is used again for the next request.
///
/// The path is encoded once more as it came, segment by segment, as for every service but S3. It is
/// not normalised here: the head parser refuses paths for which that would make a difference.
struct CanonicalRequest {
  private(set) var bytes: [UInt8] = []

  /// The first three lines; `query` is canonical already.
  mutating func begin(
    method: ArraySlice<UInt8>, path: ArraySlice<UInt8>, query: ArraySlice<UInt8>
  ) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: method)
    bytes.append(Self.newline)
    PercentCoding.encode(path, keeping: UInt8(ascii: "/"), into: &bytes)
    bytes.append(Self.newline)
    bytes.append(contentsOf: query)
    bytes.append(Self.newline)
  }

  /// Opens the line of a field; `name` is in lower case.
  mutating func beginField(_ name: Span<UInt8>) {
    name.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: ":"))
  }

  mutating func beginField(_ name: StaticString) {
    bytes.append(name)
    bytes.append(UInt8(ascii: ":"))
  }

  /// A value without surrounding whitespace, and with each inner run of it as one space.
  mutating func append(value: Span<UInt8>) {
    guard Self.isPlain(value) else { return appendCollapsed(value) }
    // A span is no sequence; its bytes are copied within the call.
    value.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  /// A session token: visible ASCII, so there is nothing to trim.
  mutating func append(secret value: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: value)
  }

  /// Stands between the values of a field that has several lines.
  mutating func separateValues() { bytes.append(UInt8(ascii: ",")) }

  mutating func endField() { bytes.append(Self.newline) }

  /// The empty line, the list of signed fields and the hash of the payload.
  mutating func finish(signedHeaders: ArraySlice<UInt8>, payloadHash: SHA256Digest) {
    bytes.append(Self.newline)
    bytes.append(contentsOf: signedHeaders)
    bytes.append(Self.newline)
    payloadHash.appendHex(to: &bytes)
  }

  private static let newline = UInt8(ascii: "\n")

  private static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  /// Whether there is nothing to trim or to collapse.
  private static func isPlain(_ value: Span<UInt8>) -> Bool {
    // The start counts as whitespace, so that a leading space is a run.
    var afterSpace = true
    for index in value.indices {
      let byte = value[index]
      if byte == UInt8(ascii: "\t") { return false }
      let isSpace = byte == UInt8(ascii: " ")
      if isSpace && afterSpace { return false }
      afterSpace = isSpace
    }
    return value.isEmpty || !afterSpace
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
