package import OpenSSLCrypto
internal import Primitives

/// The last record of a journal: its number and the SHA-256 of its line, without the line feed.
///
/// A record's line begins with `{"sequence":N,"previous":"sha256:HEX","recordVersion":1,` where `HEX` is the digest of
/// the line before, in whichever segment that stands.
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

  /// `nil` when `text` is not what `text` gives.
  init?(sequence: Int, text: Text) {
    guard text.utf8.starts(with: "sha256:".utf8),
      let digest = SHA256Digest(lowercaseHex: text.utf8.dropFirst("sha256:".utf8.count))
    else { return nil }
    self.init(sequence: sequence, digest: digest)
  }
}

/// Lines on their way to a segment.
package struct ChainedLines: ~Copyable {
  private var bytes = ByteBuffer(capacity: 64 * 1024)

  package init() {}

  package var count: Int { bytes.count }

  /// Appends the line of the record that comes after `head`, line feed included, and moves `head` on to it.
  /// - Parameter body: the record as `RecordWriter` or another writer of records gave it.
  package mutating func append(_ body: Span<UInt8>, after head: inout ChainHead) {
    let start = bytes.count
    let sequence = head.sequence + 1
    bytes.append("{\"sequence\":")
    bytes.append(decimal: sequence)
    bytes.append(",\"previous\":\"sha256:")
    head.digest.appendHex(to: &bytes)
    bytes.append("\",\"recordVersion\":")
    bytes.append(decimal: RecordVersion.current)
    bytes.append(UInt8(ascii: ","))
    bytes.append(body)
    head = ChainHead(
      sequence: sequence,
      digest: bytes.withBytes { SHA256.digest(UnsafeRawBufferPointer(rebasing: $0[start...])) })
    bytes.append(UInt8(ascii: "\n"))
  }

  package mutating func append(_ body: [UInt8], after head: inout ChainHead) {
    append(body.span, after: &head)
  }

  /// Drops the lines behind the first `count` bytes.
  package mutating func truncate(to count: Int) { bytes.truncate(to: count) }

  /// Keeps the memory for the next lines.
  package mutating func removeAll() { bytes.removeAll() }

  /// The lines from an offset on, for the duration of `body` only.
  package func withBytes<R>(from start: Int = 0, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    bytes.withBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }
}
