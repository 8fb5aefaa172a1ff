internal import StrictJSON

/// The configuration file, typed, with every default filled in.
package struct GatewayConfiguration: Sendable {
  package var listeners: [Listener]
  /// `nil`: there is no admin listener.
  package var admin: Admin?
  package var upstream: Upstream
  package var tenants: FileReference
  package var policies: FileReference
  package var authentication: Authentication
  package var rateLimit: RateLimit
  package var audit: Audit
  package var limits: Limits
  /// Peers whose `X-Forwarded-For` or PROXY header is believed.
  package var trustedProxies: [AddressBlock]
  package var reload: Reload
  /// Loops, one thread each; 0: one per core.
  package var workers: Int
  package var drainTimeout: Duration
  package var log: Log
  /// Those of all files that it names.
  package var certificates: [CertificateFile]
}

extension GatewayConfiguration {
  package struct Authentication: Sendable {
    /// How far a request's date may be from ours, either way.
    package var clockSkew: Duration
    /// How long an answer to a ClientRequestToken is kept; zero: not at all.
    package var replayWindow: Duration
  }

  package struct Reload: Sendable {
    /// Whether a change of the files is enough.
    package var watch: Bool
  }

  package struct Limits: Sendable {
    package var headerBytes: Int
    package var bodyBytes: Int
    package var connections: Int
    /// From one address, or from one /64 of IPv6.
    package var connectionsPerSource: Int
    package var headerTimeout: Duration
    package var bodyTimeout: Duration
    package var idleTimeout: Duration
  }

  package struct Log: Sendable {
    /// The names of swift-log's levels.
    package enum Level: String, Sendable, CaseIterable, LiteralConvertible {
      case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, Sendable, CaseIterable, LiteralConvertible { case json }

    package var level: Level
    package var format: Format
  }
}

/// What of the file could be read; the loader goes on to tenants and policies even when some of it could not.
struct ConfigurationDraft: Sendable {
  var listeners: [GatewayConfiguration.Listener]?
  var admin: GatewayConfiguration.Admin?
  var upstream: GatewayConfiguration.Upstream?
  var tenants: FileReference?
  var policies: FileReference?
  var authentication: GatewayConfiguration.Authentication?
  var rateLimit: GatewayConfiguration.RateLimit?
  var audit: GatewayConfiguration.Audit?
  var limits: GatewayConfiguration.Limits?
  var trustedProxies: [AddressBlock]
  var reload: GatewayConfiguration.Reload?
  var workers: Int
  var drainTimeout: Duration
  var log: GatewayConfiguration.Log?
  var certificates: [CertificateFile] = []

  /// The whole, when nothing is missing.
  var configuration: GatewayConfiguration? {
    guard let listeners, let upstream, let tenants, let policies, let authentication, let rateLimit,
      let audit,
      let limits, let reload, let log
    else { return nil }
    return GatewayConfiguration(
      listeners: listeners, admin: admin, upstream: upstream, tenants: tenants, policies: policies,
      authentication: authentication, rateLimit: rateLimit, audit: audit, limits: limits,
      trustedProxies: trustedProxies, reload: reload, workers: workers, drainTimeout: drainTimeout, log: log,
      certificates: certificates)
  }
}

extension ConfigurationDraft {
  static let form = Form<ConfigurationDraft>.object("a configuration object") { keys in
    keys.schemaReference()
    let listeners = keys.required(
      "listeners",
      .list(of: GatewayConfiguration.Listener.form, "a list of at least one listener", atLeast: 1),
      "Where applications connect.")
    let admin = keys.optionalSection(
      "admin", GatewayConfiguration.Admin.form,
      "Where health, metrics and the admin API are served; null for nowhere.")
    let addresses =
      (listeners ?? []).map { ("a listener", $0.address, $0.position) }
      + (admin.map { [("the admin listener", $0.address, $0.position)] } ?? [])
    refuseMeetings(of: addresses, keys)
    let draft = ConfigurationDraft(
      listeners: listeners, admin: admin,
      upstream: keys.required(
        "upstream", GatewayConfiguration.Upstream.form, "The Amazon Chime SDK Identity endpoint."),
      tenants: keys.required("tenants", .path, "The tenants file."),
      policies: keys.required("policies", .path, "The folder of policies, one document a file."),
      authentication: keys.section(
        "authentication", GatewayConfiguration.Authentication.form, "How callers' signatures are checked."),
      rateLimit: keys.section(
        "rateLimit", GatewayConfiguration.RateLimit.form,
        "How much may be asked for, and where it is counted."),
      audit: keys.section(
        "audit", GatewayConfiguration.Audit.form, "The journal of what was asked and answered."),
      limits: keys.section(
        "limits", GatewayConfiguration.Limits.form, "Bounds on what one caller may use up."),
      trustedProxies: keys.list(
        "trustedProxies", .list(of: .addressBlock, "a list of IP addresses or blocks"),
        "Peers whose X-Forwarded-For or PROXY header is believed."),
      reload: keys.section(
        "reload", GatewayConfiguration.Reload.form,
        "When files are read anew, besides SIGHUP and POST /reload."),
      workers: keys.value(
        "workers", .integer(0...1024), default: 0, "Threads that serve; 0 for one per core."),
      drainTimeout: keys.value(
        "drainTimeout", .duration, default: .seconds(30),
        "How long open requests may take once stopping has begun."),
      log: keys.section("log", GatewayConfiguration.Log.form, "The log on standard error."))
    refuseProxiesWithoutTrust(listeners ?? [], keys)
    if let upstream = draft.upstream { draft.rateLimit?.judge(within: upstream.requestTimeout, keys) }
    return draft
  }

  /// Listeners that nobody could use.
  private static func refuseProxiesWithoutTrust(
    _ listeners: [GatewayConfiguration.Listener], _ keys: Keys
  ) {
    guard !keys.has("trustedProxies") || keys.isEmptyList("trustedProxies") else { return }
    for listener in listeners where listener.proxyProtocol {
      keys.error(
        at: listener.position,
        "\"proxyProtocol\": true needs \"trustedProxies\": without one every connection would be closed")
    }
  }

  /// Two listeners cannot have one address, unless the system chooses their ports.
  private static func refuseMeetings(
    of listeners: [(name: String, address: ListenAddress, position: SourcePosition)], _ keys: Keys
  ) {
    for (index, later) in listeners.enumerated() {
      guard let earlier = listeners[..<index].first(where: { $0.address.meets(later.address) }) else {
        continue
      }
      keys.error(
        at: later.position,
        "\(later.name) on \(quoted("\(later.address)")) meets \(earlier.name) on \(quoted("\(earlier.address)")) of line"
          + " \(earlier.position.line): one address and port is one listener's")
    }
  }
}

extension GatewayConfiguration.Authentication {
  static let form = Form<Self>.object("an object") { keys in
    let authentication = Self(
      clockSkew: keys.value(
        "clockSkew", .positiveDuration, default: .seconds(300),
        "How far a request's date may be from the gateway's."),
      replayWindow: keys.value(
        "replayWindow", .duration, default: .seconds(600),
        "How long a repeated ClientRequestToken gets its first answer again; 0s turns this off."))
    let (skew, window) = (authentication.clockSkew, authentication.replayWindow)
    if window > .zero, window < skew * 2 {
      keys.warning(
        at: keys.position(of: keys.has("replayWindow") ? "replayWindow" : "clockSkew"),
        "a signature is good for twice the clockSkew, \((skew * 2).written), and the replayWindow of \(window.written)"
          + " is shorter: a call that is repeated after it is carried out anew")
    }
    return authentication
  }
}

extension GatewayConfiguration.Reload {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      watch: keys.value(
        "watch", .boolean, default: false,
        "Whether they are read when their contents change, also by an exchanged symbolic link."))
  }
}

extension GatewayConfiguration.Limits {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      headerBytes: keys.value(
        "headerBytes", .byteCount, default: .kibibytes(16), "Largest request line and header section."
      ).bytes,
      bodyBytes: keys.value("bodyBytes", .byteCount, default: .kibibytes(256), "Largest request body.").bytes,
      connections: keys.value(
        "connections", .integer(1...10_000_000), default: 10_000, "Open connections from callers."),
      connectionsPerSource: keys.value(
        "connectionsPerSource", .integer(1...10_000_000), default: 1000,
        "Open connections from one address; trusted proxies may have more."),
      headerTimeout: keys.value(
        "headerTimeout", .positiveDuration, default: .seconds(10),
        "Longest time to receive a header section; the first one's is from accept, TLS included."),
      bodyTimeout: keys.value(
        "bodyTimeout", .positiveDuration, default: .seconds(10), "Longest time to receive a body."),
      idleTimeout: keys.value(
        "idleTimeout", .positiveDuration, default: .seconds(75),
        "How long a connection may wait for its next request."))
  }
}

extension GatewayConfiguration.Log {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      level: keys.value("level", .choice(), default: .info, "The least severe level that is written."),
      format: keys.value("format", .choice(), default: .json, "One JSON object a line."))
  }
}
