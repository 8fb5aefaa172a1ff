package import OpenSSLCrypto
internal import Primitives

/// The last record of a journal: its number and the SHA-256 of its line, without the line feed.
///
/// A record's line begins with `{"sequence":N,"previous":"sha256:HEX",` where `HEX` is the digest of the line before,
/// in whichever segment that stands.
package struct ChainHead: Sendable, Hashable {
  package private(set) var sequence: Int
  package private(set) var digest: SHA256Digest

  package init(sequence: Int, digest: SHA256Digest) {
    self.sequence = sequence
    self.digest = digest
  }

  /// What stands before the first record. The digest names the format, so that a journal of another format cannot
  /// be taken for one of this.
  package static let genesis = ChainHead(
    sequence: 0, digest: SHA256.digest(Array("gatehouse audit journal, format 1".utf8)))

  /// Moves on to a line that was read; `line` has no line feed.
  mutating func advance(to sequence: Int, over line: RawSpan) {
    self.sequence = sequence
    digest = line.withUnsafeBytes { SHA256.digest($0) }
  }

  /// `sha256:…`
  package var text: String { "sha256:" + digest.hex }
}

/// Lines on their way to a segment.
package struct ChainedLines: ~Copyable {
  private var bytes = RecordBytes(capacity: 64 * 1024)

  package init() {}

  package var count: Int { bytes.count }

  /// Appends the line of the record that comes after `head`, line feed included, and moves `head` on to it.
  /// - Parameter body: what `intentRecord` or `outcomeRecord` gave.
  package mutating func append(_ body: [UInt8], after head: inout ChainHead) {
    let start = bytes.count
    let sequence = head.sequence + 1
    bytes.append("{\"sequence\":")
    bytes.append(decimal: sequence)
    bytes.append(",\"previous\":\"sha256:")
    bytes.append(hex: head.digest)
    bytes.append("\",")
    bytes.append(body)
    head = ChainHead(
      sequence: sequence,
      digest: bytes.withBytes { SHA256.digest(UnsafeRawBufferPointer(rebasing: $0[start...])) })
    bytes.append(UInt8(ascii: "\n"))
  }

  package mutating func append(_ other: borrowing ChainedLines) {
    other.bytes.withBytes { bytes.append($0) }
  }

  /// Keeps the memory for the next lines.
  package mutating func removeAll() { bytes.removeAll() }

  /// The lines, for the duration of `body` only.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { bytes.withBytes(body) }
}

/// The beginning of a record's line, by which records are chained.
package struct RecordPrefix {
  package let sequence: Int
  package let previous: SHA256Digest

  /// `nil` unless the line begins exactly as a record's does.
  package init?(_ line: RawSpan) {
    var cursor = 0
    guard Self.skip("{\"sequence\":", in: line, at: &cursor),
      let number = Self.number(in: line, at: &cursor),
      Self.skip(",\"previous\":\"sha256:", in: line, at: &cursor),
      cursor + 66 <= line.byteCount,
      let digest = Self.digest(in: line, at: cursor)
    else { return nil }
    cursor += 64
    guard Self.skip("\",", in: line, at: &cursor) else { return nil }
    sequence = number
    previous = digest
  }

  private static func skip(_ literal: StaticString, in line: RawSpan, at cursor: inout Int) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard cursor + count <= line.byteCount else { return false }
    for offset in 0..<count where literal.utf8Start[offset] != byte(line, cursor + offset) { return false }
    cursor += count
    return true
  }

  /// Decimal as it is written: no sign, no leading zero, at most 18 digits.
  private static func number(in line: RawSpan, at cursor: inout Int) -> Int? {
    let start = cursor
    var value = 0
    while cursor < line.byteCount, cursor - start < 18, case let digit = byte(line, cursor),
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
    {
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
      cursor += 1
    }
    return cursor > start && byte(line, start) != UInt8(ascii: "0") ? value : nil
  }

  /// 64 lower-case hexadecimal digits.
  private static func digest(in line: RawSpan, at start: Int) -> SHA256Digest? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for offset in stride(from: start, to: start + 64, by: 2) {
      guard let high = nibble(byte(line, offset)), let low = nibble(byte(line, offset + 1)) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return SHA256Digest(bytes: bytes)
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    // Upper case is not how records are written.
    (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(digit) ? nil : Hex.value(of: digit)
  }

  private static func byte(_ line: RawSpan, _ offset: Int) -> UInt8 {
    line.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
