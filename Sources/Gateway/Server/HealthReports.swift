internal import Configuration
internal import CredentialSupply
internal import LimitStore
internal import Logging
internal import Primitives

extension GatewayServer {
  /// What the log says when a region's endpoint goes away and when it is back.
  static func reporter(
    _ logger: Logger
  ) -> @Sendable (GatewayConfiguration.Region, UpstreamHealth.Event) -> Void {
    { region, event in
      var metadata: Logger.Metadata = [
        "region": "\(region.name)", "endpoint": "\(region.endpoint.authority)",
      ]
      switch event {
      case .unreachable(let reason):
        metadata["reason"] = "\(reason)"
        logger.error("upstream unreachable", metadata: metadata)
      case .reachable(let time):
        metadata["after"] = "\(seconds(time))"
        logger.notice("upstream reachable again", metadata: metadata)
      case .circuitOpened(let reason):
        metadata["reason"] = "\(reason)"
        logger.error("circuit open", metadata: metadata)
      case .circuitClosed(let time):
        metadata["after"] = "\(seconds(time))"
        logger.notice("circuit closed", metadata: metadata)
      case .refusesUs(let tenant, let type):
        metadata["errorType"] = "\(type)"
        if let tenant { metadata["tenant"] = "\(tenant)" }
        logger.error("upstream refuses the gateway's credentials", metadata: metadata)
      case .takesUs(let tenant, let time):
        metadata["after"] = "\(seconds(time))"
        if let tenant { metadata["tenant"] = "\(tenant)" }
        logger.notice("upstream takes the gateway's credentials again", metadata: metadata)
      }
    }
  }

  /// What the log says when credentials are not to be had, and when they are again.
  static func credentialReporter(_ logger: Logger) -> @Sendable (CredentialKeeper.Event) -> Void {
    { event in
      switch event {
      case .supplied: break
      case .failing(nil, isHeld: false, let problem):
        logger.warning(
          "no AWS credentials; every request is refused until there are some",
          metadata: ["problem": "\(problem)"])
      case .failing(let tenant, _, let problem):
        var metadata: Logger.Metadata = ["problem": "\(problem)"]
        if let tenant { metadata["tenant"] = "\(tenant)" }
        logger.warning("AWS credentials are not refreshed", metadata: metadata)
      case .recovered(let tenant, let time):
        var metadata: Logger.Metadata = ["after": "\(seconds(time))"]
        if let tenant { metadata["tenant"] = "\(tenant)" }
        logger.notice("AWS credentials are refreshed again", metadata: metadata)
      }
    }
  }

  /// What the log says when connections are refused and when they no longer are.
  static func connectionReporter(_ logger: Logger) -> @Sendable (ConnectionGate.Event) -> Void {
    { event in
      switch event {
      case .refusing(let limit, let source):
        var metadata: Logger.Metadata = ["limit": "\(limit.rawValue)"]
        if let source { metadata["source"] = "\(source)" }
        logger.warning("connections are refused", metadata: metadata)
      case .accepting(let limit, let refused, let time):
        logger.notice(
          "connections are no longer refused",
          metadata: ["limit": "\(limit.rawValue)", "refused": "\(refused)", "after": "\(seconds(time))"])
      }
    }
  }

  /// What the log says when spans are no longer taken, when they are again, and when the last were not.
  static func traceReporter(_ logger: Logger) -> @Sendable (Tracer.Event) -> Void {
    { event in
      switch event {
      case .failing(let reason): logger.warning("spans are not taken", metadata: ["reason": "\(reason)"])
      case .working(let lost): logger.notice("spans are taken again", metadata: ["lost": "\(lost)"])
      case .ended(let lost): logger.warning("spans were lost", metadata: ["lost": "\(lost)"])
      }
    }
  }

  /// What the log says when limits are no longer counted in the store, and when they are again.
  static func storeReporter(_ logger: Logger, _ store: String) -> @Sendable (StoreHealth.Event) -> Void {
    { event in
      var metadata: Logger.Metadata = ["store": "\(store)"]
      switch event {
      case .down(let reason):
        metadata["reason"] = "\(reason)"
        logger.error("rate limit store down", metadata: metadata)
      case .up(let time):
        metadata["after"] = "\(seconds(time))"
        logger.notice("rate limit store up again", metadata: metadata)
      case .faulty(let reason):
        metadata["reason"] = "\(reason)"
        logger.error("rate limit store cannot count some requests", metadata: metadata)
      case .sound(let time):
        metadata["after"] = "\(seconds(time))"
        logger.notice("rate limit store counts all requests again", metadata: metadata)
      }
    }
  }

  /// `1.234s`
  private static func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = String(nanoseconds / 1_000_000 % 1000)
    let padding = String(repeating: "0", count: 3 - milliseconds.count)
    return "\(nanoseconds / 1_000_000_000).\(padding)\(milliseconds)s"
  }
}
