/// Why a record that was read may not be what was written. Most have none: the record after it, or the mark beside the
/// segments, has its digest.
package enum RecordDoubt: String, Sendable, Comparable {
  /// Something must vouch for it and is not there: records were cut or moved behind it.
  case unproven
  /// What vouches for it has another digest.
  case altered

  package static func < (left: Self, right: Self) -> Bool { left == .unproven && right == .altered }

  /// For people, after what it is about.
  package var words: String {
    switch self {
    case .unproven: "has nothing behind it that vouches for it, as records were cut or moved"
    case .altered: "was altered: the record after it was chained to another content"
    }
  }
}

extension ChainHead {
  /// The record that stands in this line; `nil` when it does not begin as a record's does.
  package init?(ofLine line: RawSpan) {
    guard let prefix = RecordPrefix(line) else { return nil }
    self.init(sequence: prefix.sequence, digest: ChainHead.genesis.digest)
    advance(to: prefix.sequence, over: line)
  }

  /// What the record behind this one says of it.
  package func doubt(before next: RecordPrefix) -> RecordDoubt? {
    guard next.sequence == sequence + 1 else { return .unproven }
    return next.previous == digest ? nil : .altered
  }

  /// What the mark beside the segments says of this record, which no other follows.
  package func doubt(under mark: HeadMark?) -> RecordDoubt? {
    guard let mark, mark.head.sequence >= sequence else { return nil }
    guard mark.head.sequence == sequence else { return .unproven }
    return mark.head.digest == digest ? nil : .altered
  }
}
