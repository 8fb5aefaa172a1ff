package import OpenSSLCrypto
package import Primitives
internal import StrictJSON

extension GatewayConfiguration {
  /// The Amazon Chime SDK Identity endpoint and how it is called.
  package struct Upstream: Sendable {
    package var region: String
    package var endpoint: UpstreamEndpoint
    /// What is served beside `region`.
    package var otherRegions: [Region]
    /// Authorities to trust instead of the system's.
    package var caFile: FileReference?
    /// What `caFile` held when the configuration was loaded.
    package var trust: UpstreamTrust = .system
    package var credentials: CredentialSettings
    package var connectTimeout: Duration
    /// The whole exchange, retries included.
    package var requestTimeout: Duration
    package var maxConnections: Int
    package var idleTimeout: Duration
    package var retry: Retry
    package var circuitBreaker: CircuitBreaker

    package var regions: PerRegion<Region> {
      PerRegion(Region(name: region, endpoint: endpoint), otherRegions)
    }
  }

  /// By whom the upstream's certificate must be vouched for.
  package enum UpstreamTrust: Sendable {
    /// By the authorities that the system trusts.
    case system
    /// By those of a file with this digest.
    case authorities(TLSContext, digest: SHA256Digest)
  }

  package struct Retry: Sendable {
    /// Including the first.
    package var attempts: Int
    /// Retries as a share of requests.
    package var budgetPercent: Int
  }

  package struct CircuitBreaker: Sendable {
    package var consecutiveFailures: Int
    package var openFor: Duration
  }
}

extension GatewayConfiguration.Upstream {
  static let form = Form<Self>.object("an upstream object") { keys in
    let region = keys.required(
      "region", .region, "The AWS region, which is also that of callers' signatures.")
    let endpoint = keys.optional("endpoint", .endpoint, "URL; when absent, the region's public endpoint.")
    let fips = keys.value(
      "fips", .boolean, default: false,
      "Whether the FIPS endpoints of regions are called; not beside endpoint.")
    let others = keys.list(
      "otherRegions", .list(of: WrittenRegion.form, "a list of further regions"),
      "What is served beside region: a request goes to the region of its signature.")
    let upstream = Self(
      region: region ?? "", endpoint: endpoint ?? UpstreamEndpoint(region: region ?? "", fips: fips),
      otherRegions: WrittenRegion.regions(others, beside: region, fips: fips, keys),
      caFile: keys.optional("caFile", .path, "PEM file of authorities to trust instead of the system's."),
      credentials: keys.optional(
        "credentials", GatewayConfiguration.CredentialSettings.form, "The gateway's own AWS credentials.")
        ?? GatewayConfiguration.CredentialSettings(.chain),
      connectTimeout: keys.value(
        "connectTimeout", .positiveDuration, default: .seconds(2), "Longest time to connect, TLS included."),
      requestTimeout: keys.value(
        "requestTimeout", .positiveDuration, default: .seconds(10),
        "Longest time for an exchange, retries included."),
      maxConnections: keys.value(
        "maxConnections", .integer(1...1_000_000), default: 128, "Open connections, for each region."),
      idleTimeout: keys.value(
        "idleTimeout", .positiveDuration, default: .seconds(30), "How long an unused connection is kept."),
      retry: keys.section("retry", GatewayConfiguration.Retry.form, "Where repeating is safe.") ?? .standard,
      circuitBreaker: keys.section(
        "circuitBreaker", GatewayConfiguration.CircuitBreaker.form, "When upstream is left alone for a while."
      )
        ?? .standard)
    guard let region else { return nil }
    judge(region: region, endpoint: endpoint, fips: fips, keys)
    return upstream
  }

  private static func judge(region: String, endpoint: UpstreamEndpoint?, fips: Bool, _ keys: Keys) {
    let isNamed = keys.has("endpoint") && !keys.isNull("endpoint")
    if fips, isNamed {
      keys.error(
        at: keys.position(of: "fips"),
        "\"fips\": true chooses the endpoint, and so does \"endpoint\"; expected one of the two")
    } else if !isNamed {
      GatewayConfiguration.Region.judge(
        region, fips: fips, or: "an \"endpoint\"" + (fips ? " instead of \"fips\"" : ""),
        at: keys.position(of: "region"), keys)
    }
    if let endpoint { GatewayConfiguration.Region.judge(endpoint, keys) }
  }
}

extension GatewayConfiguration.Retry {
  static let standard = Self(attempts: 3, budgetPercent: 20)

  static let form = Form<Self>.object("an object") { keys in
    Self(
      attempts: keys.value(
        "attempts", .integer(1...10), default: standard.attempts, "Tries, the first included."),
      budgetPercent: keys.value(
        "budgetPercent", .integer(0...100), default: standard.budgetPercent, "Retries as a share of requests."
      ))
  }
}

extension GatewayConfiguration.CircuitBreaker {
  static let standard = Self(consecutiveFailures: 5, openFor: .seconds(5))

  static let form = Form<Self>.object("an object") { keys in
    Self(
      consecutiveFailures: keys.value(
        "consecutiveFailures", .integer(1...1_000_000), default: standard.consecutiveFailures,
        "Failures in a row that open the circuit."),
      openFor: keys.value(
        "openFor", .positiveDuration, default: standard.openFor,
        "How long it stays open before one request tries."))
  }
}
