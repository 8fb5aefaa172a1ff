package import OpenSSLCrypto
package import Primitives

/// What a `dropped` record says: that the journal's last record was found cut although it had been on disk, as neither a
/// crash nor an honest disk leaves it. Its rest was put aside, and the journal goes on; so that nobody can make a record
/// go away in this manner, the chain keeps that it was there.
package struct DroppedRecord: Sendable, Hashable {
  /// The number of the record, which the `dropped` record has now.
  package let sequence: Int
  /// How many bytes of it were left.
  package let byteCount: Int
  /// Of these bytes.
  package let digest: SHA256Digest
  /// Where they are kept, beside the segments.
  package let file: String

  package init(sequence: Int, rest: [UInt8], file: String) {
    self.sequence = sequence
    byteCount = rest.count
    digest = SHA256.digest(rest)
    self.file = file
  }

  /// The record, without its place in the chain.
  /// - Parameter time: when it was found.
  package func record(at time: WallClockTime) -> [UInt8] {
    var bytes = ByteBuffer(capacity: 256)
    bytes.append(Self.beginning)
    bytes.append(",\"time\":\"")
    bytes.append(rfc3339: time)
    bytes.append("\",\"droppedSequence\":")
    bytes.append(decimal: sequence)
    bytes.append(",\"droppedBytes\":")
    bytes.append(decimal: byteCount)
    bytes.append(",\"droppedDigest\":\"sha256:")
    digest.appendHex(to: &bytes)
    bytes.append("\",\"keptIn\":")
    bytes.append(jsonString: Array(file.utf8).span)
    bytes.append("}")
    return bytes.array
  }

  static let beginning: StaticString = "\"record\":\"dropped\""
}
