package import Primitives

/// What a request's method, path and query say it is: one operation of the service model and the members that
/// stand in path and query, decoded.
package struct IdentifiedCall: Sendable {
  package let operation: Operation
  /// What path and query say beyond the operation; `nil` when that is nothing, as for every CreateAppInstanceUser.
  private let target: Target?

  /// An operation whose path is the same for every request, called without a query.
  init(plain operation: Operation) {
    self.operation = operation
    target = nil
  }

  init(_ operation: Operation, _ target: Target) {
    self.operation = operation
    self.target = target
  }

  /// Shared by all copies of a call.
  final class Target: Sendable {
    let pathMembers: [(name: Text, value: Text)]
    let queryMembers: [(name: Text, value: Text)]
    let upstreamPath: [UInt8]
    let upstreamQuery: [UInt8]
    let queryViolation: ModelViolation?

    init(
      pathMembers: [(name: Text, value: Text)], queryMembers: [(name: Text, value: Text)],
      upstreamPath: [UInt8], upstreamQuery: [UInt8], queryViolation: ModelViolation?
    ) {
      self.pathMembers = pathMembers
      self.queryMembers = queryMembers
      self.upstreamPath = upstreamPath
      self.upstreamQuery = upstreamQuery
      self.queryViolation = queryViolation
    }
  }

  /// Members with location `uri`, by their model name (`AppInstanceUserArn`), percent-decoded.
  package var pathMembers: [(name: Text, value: Text)] { target?.pathMembers ?? [] }

  /// Members with location `querystring`, by their model name, decoded.
  package var queryMembers: [(name: Text, value: Text)] { target?.queryMembers ?? [] }

  /// The path as it is sent upstream: `/app-instance-users/arn%3Aaws%3A…` (as botocore would encode it).
  package var upstreamPath: [UInt8] { target?.upstreamPath ?? operation.model.pathTemplate.utf8 }

  /// The query in SigV4's canonical form, without `?`; empty when there is none.
  package var upstreamQuery: [UInt8] { target?.upstreamQuery ?? [] }

  /// A query parameter that the operation does not have, or that was given twice.
  ///
  /// It is kept for confinement and validation to throw and does not fail identification, because the caller is
  /// authenticated in between: the presigned-query form is a missing authentication, not a model violation.
  var queryViolation: ModelViolation? { target?.queryViolation }

  /// Whether method and target are the same bytes for every such call of the operation.
  package var isPlain: Bool { target == nil }

  /// Whether all that confines its caller is the AppInstanceArn in the body; not so when the query says something.
  package var isConfinedByBodyAlone: Bool {
    target == nil && OperationModel.table[Int(operation.rawValue)].isConfinedByBodyAlone
  }

  /// The value of a member in path or query.
  package func member(_ name: Text) -> Text? { value(named: name.utf8.span) }

  func value(of member: ModelMember) -> Text? { value(named: member.name.span) }

  private func value(named name: Span<UInt8>) -> Text? {
    guard let target else { return nil }
    for candidate in target.pathMembers where candidate.name.utf8.span.holds(name) { return candidate.value }
    for candidate in target.queryMembers where candidate.name.utf8.span.holds(name) { return candidate.value }
    return nil
  }
}
