internal import StrictJSON

extension GatewayConfiguration {
  /// How much may be asked for, besides what each tenant's own limit says.
  package struct RateLimit: Sendable {
    package enum Store: Sendable {
      /// Counted in this process.
      case local
      /// Counted for all gateways together.
      case redis(RedisStore)
    }

    /// What happens while the store cannot be reached.
    package enum StoreFailure: String, Sendable, CaseIterable, LiteralConvertible { case local, allow, deny }

    package enum Mode: String, Sendable, CaseIterable, LiteralConvertible {
      case enforce
      /// Counts and reports what would have been refused.
      case warn
    }

    package var store: Store
    package var onStoreFailure: StoreFailure
    package var mode: Mode
    /// The error type of a 429.
    package var errorType: String
    /// How long a request may wait for its tenant's rate; zero: not at all.
    package var queueFor: Duration
    /// Before authentication; `nil`: no limit.
    package var perSourceAddress: Rate?
    /// The account's own quota; `nil`: no limit.
    package var upstreamBudget: UpstreamBudget?
  }

  package struct Rate: Sendable, Hashable {
    package var requestsPerSecond: Double
    package var burst: Int

    package init(requestsPerSecond: Double, burst: Int) {
      self.requestsPerSecond = requestsPerSecond
      self.burst = burst
    }

    /// `2.5/s, burst 7`
    package var written: String {
      let whole = Int64(exactly: requestsPerSecond).map { "\($0)" }
      return "\(whole ?? "\(requestsPerSecond)")/s, burst \(burst)"
    }
  }

  package struct UpstreamBudget: Sendable, Hashable {
    package var rate: Rate
    /// Whether it is lowered while upstream throttles.
    package var adaptive: Bool
    /// How long a request may wait for its turn; zero: not at all.
    package var queueFor: Duration
  }
}

extension GatewayConfiguration.RateLimit {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      store: keys.optional("store", storeForm, "Where requests are counted.") ?? .local,
      onStoreFailure: keys.value(
        "onStoreFailure", .choice(), default: .local, "What happens while the store cannot be reached."),
      mode: keys.value("mode", .choice(), default: .enforce, "Whether to refuse or only to report."),
      errorType: keys.value(
        "errorType", .errorType, default: "ThrottledClientException",
        "The error type of a 429; SDK retry modes differ in which they retry."),
      queueFor: keys.value(
        "queueFor", .duration, default: .zero, "How long a request may wait for its tenant's rate."),
      perSourceAddress: keys.optionalSection(
        "perSourceAddress", GatewayConfiguration.Rate.form(rate: 500, burst: 1000),
        "Limit per source address, before authentication; null for none."),
      upstreamBudget: keys.optionalSection(
        "upstreamBudget", GatewayConfiguration.UpstreamBudget.form,
        "The account's own quota upstream, shared by all tenants; null for none."))
  }

  /// Says when requests may wait for as long as they may take in all.
  func judge(within requestTimeout: Duration, _ keys: Keys) {
    let wait = queueFor + (upstreamBudget?.queueFor ?? .zero)
    guard wait > .zero, wait >= requestTimeout else { return }
    keys.warning(
      at: keys.position(of: "rateLimit"),
      "requests may wait for \(wait.written) in all by \"queueFor\", which leaves upstream no time within the"
        + " \"requestTimeout\" of \(requestTimeout.written)")
  }

  private static let storeForm = Form<Store>.variants(
    by: "type", "an object with a \"type\"",
    [
      ("local", { _ in .local }),
      ("redis", { keys in GatewayConfiguration.RedisStore.read(keys).map { .redis($0) } }),
    ])
}

extension GatewayConfiguration.Rate {
  static func form(rate: Double, burst: Int) -> Form<Self> {
    .object("an object") { read($0, rate: rate, burst: burst) }
  }

  static func read(_ keys: Keys, rate: Double, burst: Int) -> Self {
    Self(
      requestsPerSecond: keys.value(
        "requestsPerSecond", .positiveNumber, default: rate, "Requests per second in the long run."),
      burst: keys.value(
        "burst", .integer(1...1_000_000_000), default: burst, "Requests at once after a pause."))
  }
}

extension GatewayConfiguration.UpstreamBudget {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      rate: .read(keys, rate: 20, burst: 20),
      adaptive: keys.value(
        "adaptive", .boolean, default: true, "Whether it is lowered while upstream throttles."),
      queueFor: keys.value("queueFor", .duration, default: .zero, "How long a request may wait for its turn.")
    )
  }
}

extension Form where Value == String {
  /// The shape of AWS error type names.
  static var errorType: Form {
    parsed(
      "an error type such as \"ThrottledClientException\"",
      schema: ["type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]{0,127}$"]
    ) { text throws(Rejection) in
      let bytes = text.utf8
      guard bytes.allSatisfy(isASCIIAlphanumeric), (1...128).contains(bytes.count),
        bytes.first.map({ $0 > 0x39 }) == true
      else { return nil }
      return text
    }
  }
}
