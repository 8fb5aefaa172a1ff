package import Primitives

/// What a request's method, path and query say it is: one operation of the service model and the members that
/// stand in path and query, decoded.
package struct IdentifiedCall: Sendable {
  package let operation: Operation
  /// Members with location `uri`, by their model name (`AppInstanceUserArn`), percent-decoded.
  package let pathMembers: [(name: Text, value: Text)]
  /// Members with location `querystring`, by their model name, decoded.
  package let queryMembers: [(name: Text, value: Text)]
  /// The path as it is sent upstream: `/app-instance-users/arn%3Aaws%3A…` (as botocore would encode it).
  package let upstreamPath: [UInt8]
  /// The query in SigV4's canonical form, without `?`; empty when there is none.
  package let upstreamQuery: [UInt8]
  /// A query parameter that the operation does not have, or that was given twice.
  ///
  /// It is kept for confinement and validation to throw and does not fail identification, because the caller is
  /// authenticated in between: the presigned-query form is a missing authentication, not a model violation.
  let queryViolation: ModelViolation?

  /// The value of a member in path or query.
  package func member(_ name: Text) -> Text? {
    for candidate in pathMembers where candidate.name == name { return candidate.value }
    for candidate in queryMembers where candidate.name == name { return candidate.value }
    return nil
  }

  func value(of member: ModelMember) -> Text? {
    for candidate in pathMembers where candidate.name.equals(member.name) { return candidate.value }
    for candidate in queryMembers where candidate.name.equals(member.name) { return candidate.value }
    return nil
  }
}

/// Why a request is no call of the service.
package enum IdentificationFailure: Error, Hashable, Sendable {
  /// No operation of the service model has this method, path and discriminator (404).
  case unknownOperation
  /// A path label that has no one meaning (400).
  case malformedLabel(LabelFault)
  /// A query that has no one meaning (400).
  case malformedQuery(QueryViolation)

  package enum LabelFault: Hashable, Sendable {
    case malformedPercentEncoding
    /// Decoding it again would give something else.
    case doublePercentEncoding
    /// Decodes to something else than UTF-8, or holds NUL.
    case notText
    /// `.` or `..`, which a server may resolve.
    case dotSegment
  }

  /// Lower case, no full stop.
  package var message: String {
    switch self {
    case .unknownOperation: "no operation of this service has this method and path"
    case .malformedLabel(.malformedPercentEncoding):
      "a path segment has a `%` that begins no percent-encoding"
    case .malformedLabel(.doublePercentEncoding): "a path segment is percent-encoded twice"
    case .malformedLabel(.notText): "a path segment does not decode to text"
    case .malformedLabel(.dotSegment): "a path segment is `.` or `..`"
    case .malformedQuery(.malformedPercentEncoding): "the query has a `%` that begins no percent-encoding"
    case .malformedQuery(.unexpectedCharacter): "the query has a character that must be percent-encoded"
    case .malformedQuery(.emptyPair): "the query has an empty parameter"
    case .malformedQuery(.emptyName): "the query has a parameter without a name"
    case .malformedQuery(.notText): "the query does not decode to text"
    }
  }
}
