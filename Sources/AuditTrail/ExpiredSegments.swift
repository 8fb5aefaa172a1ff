package import Primitives
internal import OpenSSLCrypto
internal import StrictJSON

/// What an `expired` record says: which segments retention removed, and what the rest of the journal is chained to.
///
/// It is on disk before anything is removed, so a journal whose beginning is gone can vouch for that: what is removed
/// in another way has no such record.
package struct ExpiredSegments: Sendable, Hashable {
  package let segments: [SegmentName]
  /// The number of the first record that was removed.
  package let firstSequence: Int
  /// The last record that was removed.
  package let last: ChainHead
  /// How long segments are kept.
  package let retainSeconds: Int64

  package init(segments: [SegmentName], last: ChainHead, retainSeconds: Int64) {
    self.segments = segments
    firstSequence = segments.first?.firstSequence ?? last.sequence
    self.last = last
    self.retainSeconds = retainSeconds
  }

  /// The record, without its place in the chain.
  /// - Parameter time: when retention decided.
  package func record(at time: WallClockTime) -> [UInt8] {
    var bytes = ByteBuffer(capacity: 256 + 40 * segments.count)
    bytes.append(Self.beginning)
    bytes.append(",\"time\":\"")
    bytes.append(rfc3339: time)
    bytes.append("\",\"segments\":")
    var separator: StaticString = "["
    for segment in segments {
      bytes.append(separator)
      separator = ","
      bytes.append(jsonString: Array(segment.file.utf8).span)
    }
    bytes.append("],\"firstSequence\":")
    bytes.append(decimal: firstSequence)
    bytes.append(",\"lastSequence\":")
    bytes.append(decimal: last.sequence)
    bytes.append(",\"lastDigest\":\"sha256:")
    last.digest.appendHex(to: &bytes)
    bytes.append("\",\"retainSeconds\":")
    bytes.append(decimal: Int(retainSeconds))
    bytes.append("}")
    return bytes.array
  }

  /// The last removed record of an `expired` record; `nil` when the line is another record.
  static func last(in line: RawSpan, after prefix: RecordPrefix) -> ChainHead? {
    guard prefix.isFollowed(by: beginning, in: line),
      let document = try? JSONDocument(parsing: line.withUnsafeBytes { Array($0) }),
      let sequence = document.member("lastSequence", of: document.root).flatMap({ document.integer($0) }),
      let digest = document.member("lastDigest", of: document.root).flatMap({ document.text($0) })
    else { return nil }
    return ChainHead(sequence: sequence, text: digest)
  }

  /// The same, for a line whose place in the chain does not matter.
  package static func last(in line: RawSpan) -> ChainHead? {
    RecordPrefix(line).flatMap { last(in: line, after: $0) }
  }

  private static let beginning: StaticString = "\"record\":\"expired\""
}
