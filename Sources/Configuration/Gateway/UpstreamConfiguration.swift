package import OpenSSLCrypto
internal import StrictJSON

extension GatewayConfiguration {
  /// The Amazon Chime SDK Identity endpoint and how it is called.
  package struct Upstream: Sendable {
    package var region: String
    package var endpoint: UpstreamEndpoint
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
  /// Where the service exists (AWS endpoints and quotas, Amazon Chime SDK identity).
  static let regions = ["us-east-1", "eu-central-1"]
  /// And where with FIPS endpoints.
  static let fipsRegions = ["us-east-1"]

  static let form = Form<Self>.object("an upstream object") { keys in
    let region = keys.required(
      "region", .region, "The AWS region, which is also that of callers' signatures.")
    let endpoint = keys.optional("endpoint", .endpoint, "URL; when absent, the region's public endpoint.")
    let fips = keys.value(
      "fips", .boolean, default: false, "Whether the region's FIPS endpoint is called; not beside endpoint.")
    let upstream = Self(
      region: region ?? "", endpoint: endpoint ?? UpstreamEndpoint(region: region ?? "", fips: fips),
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
        "maxConnections", .integer(1...1_000_000), default: 128, "Open connections."),
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
    let regions = fips ? fipsRegions : regions
    if fips, isNamed {
      keys.error(
        at: keys.position(of: "fips"),
        "\"fips\": true chooses the endpoint, and so does \"endpoint\"; expected one of the two")
    } else if endpoint == nil, !isNamed, !regions.contains(region) {
      keys.error(
        at: keys.position(of: "region"),
        "there is no public\(fips ? " FIPS" : "") endpoint in \(quoted(region)), only in "
          + regions.map(quoted).joined(separator: " and ") + "; expected one of these, or an \"endpoint\""
          + (fips ? " instead of \"fips\"" : ""))
    }
    if let endpoint, !endpoint.usesTLS, !endpoint.isLoopback {
      keys.warning(
        at: keys.position(of: "endpoint"),
        "requests to \(quoted("\(endpoint)")) are neither encrypted nor authenticated")
    }
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

extension Form where Value == String {
  /// The shape of AWS region names.
  static var region: Form {
    let pattern: JSONLiteral = "^[a-z]{2,8}(-[a-z]{2,16}){1,3}-[0-9]{1,2}$"
    return parsed("an AWS region such as \"us-east-1\"", schema: ["type": "string", "pattern": pattern]) {
      text throws(Rejection) in isRegion(text) ? text : nil
    }
  }

  private static func isRegion(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard (3...5).contains(parts.count), let number = parts.last, (1...2).contains(number.count),
      number.allSatisfy({ (0x30...0x39).contains($0) }), parts[0].count <= 8
    else { return false }
    return parts.dropLast().allSatisfy { word in
      (2...16).contains(word.count) && word.allSatisfy { (0x61...0x7A).contains($0) }
    }
  }
}
