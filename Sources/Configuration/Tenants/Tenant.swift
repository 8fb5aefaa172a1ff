package import OpenSSLCrypto
package import Patterns
package import Primitives
package import StrictJSON

/// One internal application and what it may do.
package struct Tenant: Sendable {
  package struct AccessKey: Sendable {
    package enum Status: String, Sendable, CaseIterable, LiteralConvertible { case active, revoked }
    package let id: Text
    package let secret: Secret
    package let sessionToken: Secret?
    package let status: Status
    package let notAfter: WallClockTime?

    package init(
      id: Text, secret: Secret, sessionToken: Secret? = nil, status: Status = .active,
      notAfter: WallClockTime? = nil
    ) {
      self.id = id
      self.secret = secret
      self.sessionToken = sessionToken
      self.status = status
      self.notAfter = notAfter
    }
  }

  package struct RateLimit: Sendable, Hashable {
    package typealias Rate = GatewayConfiguration.Rate

    /// The rate of an operation, or of `reads`.
    package struct OfOperations: Sendable, Hashable {
      package let name: String
      package let rate: Rate
      /// Where its name stands in the tenants file.
      package let position: SourcePosition
    }

    /// Of all requests.
    package let rate: Rate
    /// `nil`: no limit on requests in flight.
    package let concurrency: Int?
    /// In file order.
    package let operations: [OfOperations]
    /// Of requests about one AppInstance.
    package let perAppInstance: Rate?

    /// What stands for all operations that only read.
    package static let reads = "read"

    package init(
      _ rate: Rate, concurrency: Int? = nil, operations: [OfOperations] = [], perAppInstance: Rate? = nil
    ) {
      self.rate = rate
      self.concurrency = concurrency
      self.operations = operations
      self.perAppInstance = perAppInstance
    }

    package func rate(of operation: String) -> Rate? { operations.first { $0.name == operation }?.rate }
  }

  /// What an access key is good for today.
  package enum KeyStanding: String, Sendable { case active, expired, revoked }

  /// The role whose session signs the tenant's calls; the session bears the tenant's id.
  package struct Role: Sendable, Hashable {
    package let arn: String
    /// Whether the id also becomes the session's SourceIdentity, which the role's own sessions keep.
    package let setsSourceIdentity: Bool

    package init(arn: String, setsSourceIdentity: Bool = false) {
      self.arn = arn
      self.setsSourceIdentity = setsSourceIdentity
    }
  }

  package let id: Text
  package let description: String
  package let accessKeys: [AccessKey]
  /// URI or DNS SANs, one of which the client certificate must bear; empty: mTLS is not required.
  package let clientCertificates: [CertificateName]
  /// Globs over AppInstance ARNs.
  package let appInstances: [Glob]
  /// Operation names of the service model.
  package let operations: Set<String>
  package let rateLimit: RateLimit?
  /// The regions that it may call in; `nil`: all that are served.
  package let regions: [String]?
  /// `nil`: its calls are signed with the gateway's own credentials.
  package let role: Role?
  package let labels: [Text: Text]

  /// When the last of the active access keys ends; `nil`: one of them does not, or there is none.
  package var lastKeyEnd: WallClockTime? {
    var last: WallClockTime?
    for key in accessKeys where key.status == .active {
      guard let end = key.notAfter else { return nil }
      last = max(last ?? end, end)
    }
    return last
  }

  /// What a tenant may call when its `operations` are absent.
  package static let defaultOperations = ["CreateAppInstanceUser"]

  package init(
    id: Text, description: String = "", accessKeys: [AccessKey], clientCertificates: [CertificateName] = [],
    appInstances: [Glob], operations: Set<String> = Set(defaultOperations), rateLimit: RateLimit? = nil,
    regions: [String]? = nil, role: Role? = nil, labels: [Text: Text] = [:]
  ) {
    self.id = id
    self.description = description
    self.accessKeys = accessKeys
    self.clientCertificates = clientCertificates
    self.appInstances = appInstances
    self.operations = operations
    self.rateLimit = rateLimit
    self.regions = regions
    self.role = role
    self.labels = labels
  }
}

extension Tenant.AccessKey.Status {
  /// - Parameter notAfter: the last moment at which a key of this status is taken.
  package func standing(until notAfter: WallClockTime?, at now: WallClockTime) -> Tenant.KeyStanding {
    switch self {
    case .revoked: .revoked
    case .active: notAfter.map { now > $0 } ?? false ? .expired : .active
    }
  }
}
