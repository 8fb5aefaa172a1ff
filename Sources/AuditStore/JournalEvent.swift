package import AuditTrail

/// What an operator must know of the journal: told when it begins, and when it ends.
package enum JournalEvent: Sendable, Hashable {
  case failing(JournalFailure)
  case writtenAgain
  /// Bytes that are free for the journal, and the least there should be.
  case spaceIsLow(free: Int, minimum: Int)
  case spaceIsBack(free: Int)
  /// Retention removed segments.
  case expired(ExpiredSegments)
  /// The clock is so many seconds ahead of what the journal's own times allow, so retention does not follow it.
  case clockNotFollowed(secondsAhead: Int64)
  /// The segment that was written was no longer in its place and could be put back.
  case putBack(String)

  package var isProblem: Bool {
    switch self {
    case .failing, .spaceIsLow, .clockNotFollowed, .putBack: true
    case .writtenAgain, .spaceIsBack, .expired: false
    }
  }

  package var message: String {
    switch self {
    case .failing(let failure): "\(failure.message); nothing is forwarded without a record"
    case .writtenAgain: "the audit journal is written again"
    case .spaceIsLow(let free, let minimum):
      "\(free) bytes are free for the audit journal, fewer than `audit.minimumFreeSpace` (\(minimum)): only served "
        + "requests have records, others are counted"
    case .spaceIsBack(let free):
      "\(free) bytes are free for the audit journal; all requests have records again"
    case .expired(let expired):
      "retention removed \(expired.segments.count) segments, records \(expired.firstSequence) to "
        + "\(expired.last.sequence), of before the last \(expired.retainSeconds) seconds"
    case .clockNotFollowed(let seconds):
      "the clock is \(seconds) seconds ahead of what the audit journal's last record allows; retention goes by the "
        + "journal's time until the next start"
    case .putBack(let what): what
    }
  }
}
