package import Primitives

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
