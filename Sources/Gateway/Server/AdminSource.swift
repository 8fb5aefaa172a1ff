internal import Synchronization
internal import AuditShipping
internal import AuditStore
package import Admin
internal import Primitives
internal import CredentialSupply
internal import Configuration
internal import LimitStore
internal import OpenSSLCrypto
internal import RateLimiting
internal import Transport

extension GatewayServer: AdminSource {
  package func readiness() -> [ReadinessCheck] {
    let snapshot = workers[0].snapshot
    let journal = shared.journal.statistics
    var checks = [
      ReadinessCheck("policies", isReady: true, detail: snapshot.policyRevision.string),
      credentialCheck(of: snapshot),
      ReadinessCheck(
        "journal", isReady: journal.failure == nil && journal.unwrittenOutcomes == 0,
        detail: journal.failure?.message ?? Self.condition(of: journal)),
      ReadinessCheck("store", isReady: true, detail: storeDetail(of: snapshot)),
      ReadinessCheck("upstream", isReady: true, detail: upstreamDetail),
    ]
    if let shipper {
      // The journal keeps what the database does not have yet, so requests are served without it.
      let unshipped = shipper.unshipped(of: journal)
      let problem = shipper.status.problem
      checks.append(
        ReadinessCheck(
          "postgres", isReady: true,
          detail: (problem.map { "degraded: \($0); " } ?? "") + "\(unshipped) records unshipped"
            + (journal.overdueSegments > 0
              ? "; \(journal.overdueSegments) segments are kept beyond `audit.retain` for them" : "")))
    }
    return checks
  }

  /// Without the store requests are served as `onStoreFailure` says; another gateway would fare no better.
  private func storeDetail(of snapshot: Snapshot) -> String {
    let limits = snapshot.configuration.rateLimit
    guard let health = shared.store?.health else { return "local" }
    if let problem = health.problem {
      let doing =
        switch limits.onStoreFailure {
        case .local: "1/\(health.gateways) of each limit is counted here"
        case .allow: "nothing is limited"
        case .deny: "requests are refused"
        }
      return "degraded: \(limitStore.name): \(problem); meanwhile \(doing)"
    }
    return health.isUp
      ? "\(limitStore.name): \(health.gateways) gateway\(health.gateways == 1 ? "" : "s")"
      : "degraded: \(limitStore.name): not connected yet"
  }

  /// Of each region, where there is more than one.
  private var upstreamDetail: String {
    let regions = shared.regions
    guard !regions.others.isEmpty else { return regions.first.health.detail }
    return regions.all.map { "\($0.name): \($0.health.detail)" }.joined(separator: "; ")
  }

  private func credentialCheck(of snapshot: Snapshot) -> ReadinessCheck {
    let (status, now) = (snapshot.identity.status, clock.wallClock())
    let isUsable = status.obtainedAt != nil && status.end.map { $0 > now } ?? true
    let problem = status.problem.map { isUsable ? "not refreshed: \($0)" : $0 }
    let detail =
      switch (isUsable, status.obtainedAt != nil) {
      case (true, _): problem ?? "present"
      case (false, true): "ended" + (problem.map { "; \($0)" } ?? "")
      case (false, false): problem ?? "none yet"
      }
    return ReadinessCheck(
      "credentials", isReady: isUsable, detail: detail,
      facts: [
        ("source", .text(status.source)),
        ("ageSeconds", .number(status.obtainedAt.map { Int(max(0, now.seconds - $0.seconds)) })),
        ("expiry", .text(status.end?.rfc3339)),
      ])
  }

  /// Without a checkpoint the records are there all the same, and so are those of served requests while little space is
  /// left: requests are served.
  private static func condition(of journal: JournalStatistics) -> String {
    (journal.checkpointFailure.map { "degraded: the last checkpoint could not be written: \($0); " } ?? "")
      + (journal.isSpaceLow
        ? "degraded: \(journal.freeBytes ?? 0) bytes are free, fewer than `audit.minimumFreeSpace`: only served "
          + "requests have records, others are counted; " : "")
      + "\(journal.unwrittenOutcomes) outcomes unwritten"
      + (journal.lostOutcomes > 0
        ? "; \(journal.lostOutcomes) outcomes lost since the start (`gatehouse audit reconcile`)" : "")
      + (journal.lastCheckpoint.map { "; last checkpoint \($0.rfc3339)" } ?? "")
  }

  /// What all workers have counted.
  func counts(of snapshot: Snapshot) -> Metrics.Counts {
    var counts = Metrics.Counts()
    let tenants = snapshot.meters.ids
    for worker in workers { counts.add(worker.metrics.counts(tenants: tenants)) }
    counts.connections = shared.connections.open
    return counts
  }

  package func metrics(as form: MetricsForm) -> [UInt8] {
    let counts = counts(of: workers[0].snapshot)
    var exemplars = Exemplars()
    for worker in workers { exemplars.add(worker.metrics.exemplars) }
    var text = MetricsText(form, exemplars: exemplars)
    let labels = shared.regions.map { [shared] region in
      shared.regions.others.isEmpty ? [] : [("region", region.name)]
    }
    text.append(counts, regions: labels)
    text.append(store: shared.store?.health.isUp, counts.storeDuration)
    text.append(shared.connections)
    text.counter("gatehouse_log_lines_lost_total", "Log lines that nobody took.", shared.logSink.lostLines)
    let journal = shared.journal.statistics
    text.append(journal)
    text.gauge(
      "gatehouse_audit_unshipped_records", "Records that the journal has and the database does not (yet).",
      Int64(shipper?.unshipped(of: journal) ?? 0))
    let history = reloader.current
    text.append(
      circuits: zip(labels.all, shared.regions.all).map { ($0, $1.breaker.withLock { $0.isOpen }) })
    text.append(workers[0].snapshot.identity.status, now: clock.wallClock())
    text.gauge(
      "gatehouse_config_last_reload_success_timestamp_seconds", "When the configuration was last loaded.",
      history.lastSuccess.seconds)
    text.counter("gatehouse_config_reload_failures_total", "Loads that failed.", history.failures)
    text.append(
      workers[0].snapshot,
      listeners: listeners.openListeners.map { ($0.address.description, $0.tls?.certificateEnd) })
    if let process = ProcessFigures() { text.append(process) }
    text.buildInfo()
    text.end()
    return text.bytes
  }
}
