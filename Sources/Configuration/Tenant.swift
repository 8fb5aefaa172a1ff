package import OpenSSLCrypto
package import Patterns
package import Primitives

/// One internal application and what it may do (contract section 3).
package struct Tenant: Sendable {
  package struct AccessKey: Sendable {
    package enum Status: String, Sendable { case active, revoked }
    package let id: Text
    package let secret: Secret
    package let sessionToken: Secret?
    package let status: Status
    package let notAfter: WallClockTime?
  }

  package struct RateLimit: Sendable, Hashable {
    package let requestsPerSecond: Double
    package let burst: Int
    /// `nil`: no limit on requests in flight.
    package let concurrency: Int?
  }

  package let id: Text
  package let description: String
  package let accessKeys: [AccessKey]
  /// URI or DNS SANs, one of which the client certificate must bear; empty: mTLS is not required.
  package let clientCertificates: [Text]
  /// Globs over AppInstance ARNs.
  package let appInstances: [Glob]
  /// Operation names of the service model.
  package let operations: Set<String>
  package let rateLimit: RateLimit?
  package let labels: [Text: Text]
}
