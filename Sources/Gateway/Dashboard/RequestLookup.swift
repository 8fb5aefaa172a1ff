package import Admin
package import Configuration
package import Primitives

/// What the journal tells of requests, for the dashboard. It has a thread of its own for that: no loop waits for it.
package protocol RequestLookup: Sendable {
  /// - Parameters:
  ///   - parameters: the filters of `audit query`, `limit` and where to go on.
  ///   - sensitive: what the journal shows of sensitive members.
  func search(
    _ parameters: [APIParameter], tenants: [Text], under sensitive: GatewayConfiguration.Sensitive
  ) async -> APIAnswer
  /// - Parameter parameters: the filters of `audit query`, `limit`, and what kinds are told apart by.
  func count(
    _ parameters: [APIParameter], tenants: [Text], under sensitive: GatewayConfiguration.Sensitive
  ) async -> APIAnswer
  /// Requests as they end.
  var live: LiveFeed { get }
  func find(_ id: Text, _ parameters: [APIParameter]) async -> APIAnswer
}
