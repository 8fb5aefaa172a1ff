internal import Primitives

/// The members of a request's record, in the order in which they stand in it.
enum RecordMember: UInt8, Comparable {
  case kind
  /// In the outcome of a request that has an intent.
  case intent
  case tenant, accessKeyId, actor, sourceIp, userAgent, operation, method, path
  case appInstanceArn, appInstanceUserId, appInstanceUserArn, resourceArn
  case name, metadata, tags, tagKeys, expirationDays
  case decision, violations, warnings, wouldChange, exceptions, changes, policyRevision, repeatOf
  case result
  /// In a result, never begun themselves.
  case errorType, reason, upstreamRequestId

  static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Members of records that are the same for many requests (who calls, which operation, which policies), written once.
package struct RecordMembers: Sendable {
  let bytes: [UInt8]
  let first: RecordMember
  let last: RecordMember
  /// Of which not all stands in them.
  let cut: CutMembers

  /// - Parameter write: writes at least one member, in their order.
  package init(under sensitivity: Sensitivity = Sensitivity(), _ write: (inout RecordWriter) -> Void) {
    var writer = RecordWriter(under: sensitivity, capacity: 256)
    write(&writer)
    cut = writer.cut
    (bytes, first, last) = writer.finishMembers()
  }
}

extension AuditDecision {
  /// `,"decision":"…"`
  var member: StaticString {
    switch self {
    case .allowed: #","decision":"allowed""#
    case .denied: #","decision":"denied""#
    case .throttled: #","decision":"throttled""#
    case .unauthenticated: #","decision":"unauthenticated""#
    case .invalid: #","decision":"invalid""#
    case .refused: #","decision":"refused""#
    }
  }
}

extension AuditOutcome {
  /// `,"outcome":"…"`
  var member: StaticString {
    switch self {
    case .created: #","outcome":"created""#
    case .succeeded: #","outcome":"succeeded""#
    case .rejected: #","outcome":"rejected""#
    case .failed: #","outcome":"failed""#
    case .unknown: #","outcome":"unknown""#
    case .notForwarded: #","outcome":"notForwarded""#
    }
  }
}
