package import AuditTrail
package import Primitives

/// What upstream's state says about a request whose outcome nobody saw.
package struct Finding: Sendable, Hashable {
  /// `unknown` when it cannot be told.
  package let outcome: AuditOutcome
  /// For people, and for the record: it quotes nothing that the request holds.
  package let reason: String
  /// Of the user that the request created.
  package var userArn: Text?

  static func failed(_ reason: String) -> Finding { Finding(outcome: .failed, reason: reason) }
  static func succeeded(_ reason: String) -> Finding { Finding(outcome: .succeeded, reason: reason) }
  static func undecided(_ reason: String) -> Finding { Finding(outcome: .unknown, reason: reason) }

  /// The record that says so in the journal.
  package func record(of request: RequestHistory, at time: WallClockTime) -> [UInt8] {
    var result = AuditedResult(outcome, status: nil, durationNanoseconds: 0)
    result.reason = "reconciled: \(reason)"
    result.appInstanceUserArn = userArn
    return result.reconciledRecord(of: request.requestId, intent: request.first.sequence, at: time)
  }
}

/// How what a request asked for compares with what upstream has.
enum Comparison: Hashable {
  case equal, different
  /// The journal does not show what was asked for.
  case hidden

  /// Different when one is; equal when all are.
  static func all(_ parts: [Comparison]) -> Comparison {
    if parts.contains(.different) { return .different }
    return parts.contains(.hidden) ? .hidden : .equal
  }

  func finding(_ what: String) -> Finding {
    switch self {
    case .equal: .succeeded("upstream has \(what) as the request wanted")
    case .different: .failed("upstream does not have \(what) as the request wanted")
    case .hidden: .undecided("the journal does not show \(what) (`audit.sensitive`)")
    }
  }
}
