package import Primitives
internal import StrictJSON

/// What the dashboard shows; the gateway provides it. Each answer is what `/api/…` gives.
package protocol DashboardSource: Sendable {
  func overview() async -> APIAnswer
  func health() async -> APIAnswer
  /// - Parameter parameters: of the query, decoded.
  func requests(_ parameters: [APIParameter]) async -> APIAnswer
  /// As `requests`, of which it counts kinds.
  func counts(_ parameters: [APIParameter]) async -> APIAnswer
  func request(_ id: Text, _ parameters: [APIParameter]) async -> APIAnswer
  func tenants() async -> APIAnswer
  func policies() async -> APIAnswer
  /// - Parameter body: the question, as it came.
  func explain(_ body: [UInt8]) async -> APIAnswer
  /// Requests as they end; `nil`: there are none to be had.
  var live: LiveFeed? { get }
}

package struct APIParameter: Sendable, Hashable {
  package let name: Text
  package let value: Text

  package init(_ name: Text, _ value: Text) {
    self.name = name
    self.value = value
  }
}

package struct APIAnswer: Sendable {
  package let status: Int
  /// JSON.
  package let body: [UInt8]

  package init(status: Int = 200, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  /// - Parameter message: lower case, no full stop: what is wrong and what would be accepted.
  package static func error(_ status: Int, _ message: String) -> Self {
    Self(status: status, body: JSONWriter.object { $0.member("error", message) })
  }

  /// What was asked for costs too much at the moment.
  package static let busy = error(503, "too many questions wait for an answer; ask again in a moment")
}
