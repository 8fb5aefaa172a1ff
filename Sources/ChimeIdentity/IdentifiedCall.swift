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
}

/// An operation of `chime-sdk-identity` 2021-04-20. The generated table replaces this.
package enum Operation: UInt8, Sendable, CaseIterable {
  case createAppInstanceUser
}
