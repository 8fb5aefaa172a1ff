internal import Admin
internal import AuditShipping
internal import AuditStore
internal import AuditTrail
internal import CredentialSupply
internal import OpenSSLCrypto
internal import Primitives
internal import RateLimiting
internal import StrictJSON
internal import Synchronization
internal import Transport

/// `/api/overview`
extension GatewayServer {
  func writeOverview(of snapshot: Snapshot, to writer: inout JSONWriter) {
    let now = clock.wallClock()
    let counts = counts(of: snapshot)
    let minutes = dashboard.history.withLock { $0.all(with: counts, at: now) }
    let hour = minutes.reduce(into: Tally()) { $0.add($1.tally) }
    writer.member("version", GatehouseVersion.current)
    writer.member("time", now.rfc3339)
    writer.member("startedAt", dashboard.startedAt.rfc3339)
    writer.member("ready", readiness().allSatisfy(\.isReady))
    writer.member("policyRevision", snapshot.policyRevision)
    writer.object("sinceStart") { $0.write(Tally(from: Metrics.Counts(), to: counts)) }
    writer.object("lastHour") { writer in
      writer.member("since", (minutes.first?.begin ?? now).rfc3339)
      writer.write(hour)
      writer.object("latencyMs") { $0.writeQuantiles(of: hour.duration) }
      writer.object("upstreamMs") { $0.writeQuantiles(of: hour.upstream) }
    }
    writer.objects("minutes", minutes) { writer, minute in
      writer.member("begin", minute.begin.rfc3339)
      writer.member("end", minute.end.rfc3339)
      writer.write(minute.tally)
      writer.object("latencyMs") { $0.writeQuantiles(of: minute.tally.duration) }
    }
    write(rulesAndLimits: hour, to: &writer)
    writeUpstream(counts, to: &writer)
    writeJournal(to: &writer)
    writeCredentials(of: snapshot, now, to: &writer)
    writeListeners(counts, to: &writer)
  }

  private func write(rulesAndLimits hour: Tally, to writer: inout JSONWriter) {
    let rules = hour.rules.sorted {
      ($1.value, $0.key.policy, $0.key.rule) < ($0.value, $1.key.policy, $1.key.rule)
    }
    writer.objects("rules", rules.prefix(Self.mostRows)) { writer, row in
      writer.member("policy", row.key.policy)
      writer.member("rule", row.key.rule)
      writer.member("mode", row.key.mode.string)
      writer.member("count", row.value)
    }
    let limits = hour.limited.sorted {
      ($1.value, $0.key.tenant, $0.key.scope) < ($0.value, $1.key.tenant, $1.key.scope)
    }
    writer.objects("limits", limits.prefix(Self.mostRows)) { writer, row in
      writer.member("tenant", row.key.tenant.isEmpty ? nil : row.key.tenant)
      writer.member("scope", row.key.scope)
      writer.member("count", row.value)
    }
  }

  /// More than that nobody reads on a page.
  private static let mostRows = 50

  private func writeUpstream(_ counts: Metrics.Counts, to writer: inout JSONWriter) {
    let pools = counts.pools?.all ?? []
    writer.objects("upstream", shared.regions.all.enumerated()) { writer, region in
      let (place, region) = region
      writer.member("region", region.name)
      writer.member("detail", region.health.detail)
      writer.member("circuitOpen", region.breaker.withLock { $0.isOpen })
      writer.member("connectionsInUse", place < pools.count ? pools[place].inUse : 0)
      writer.member("connectionsIdle", place < pools.count ? pools[place].idle : 0)
    }
    let retries = counts.retries.sorted { $0.key.string < $1.key.string }
    writer.objects("retries", retries) { writer, row in
      writer.member("reason", row.key.string)
      writer.member("count", row.value)
    }
  }

  private func writeJournal(to writer: inout JSONWriter) {
    let journal = shared.journal.statistics
    writer.object("journal") { writer in
      writer.member("failure", journal.failure?.message)
      writer.member("records", journal.records)
      writer.member("lastSequence", journal.lastSequence)
      writer.member("bytes", journal.bytes)
      writer.member("freeBytes", journal.freeBytes)
      writer.member("isSpaceLow", journal.isSpaceLow)
      writer.member("unwrittenOutcomes", journal.unwrittenOutcomes)
      writer.member("lostOutcomes", journal.lostOutcomes)
      writer.member("suppressed", journal.suppressed)
      writer.member("lastCheckpoint", journal.lastCheckpoint?.rfc3339)
      writer.object("syncMs") { $0.writeQuantiles(of: journal.synchronizations) }
      writer.member("unshipped", shipper.map { $0.unshipped(of: journal) })
    }
  }

  private func writeCredentials(of snapshot: Snapshot, _ now: WallClockTime, to writer: inout JSONWriter) {
    let status = snapshot.identity.status
    writer.object("credentials") { writer in
      writer.member("source", status.source)
      writer.member("end", status.end?.rfc3339)
      writer.member("problem", status.problem)
      writer.member("held", status.obtainedAt != nil && status.end.map { $0 > now } ?? true)
    }
  }

  private func writeListeners(_ counts: Metrics.Counts, to writer: inout JSONWriter) {
    writer.objects("listeners", listeners.openListeners) { writer, listener in
      writer.member("address", listener.address.description)
      writer.member("tls", listener.tls != nil)
      writer.member("certificateEnd", listener.tls?.certificateEnd?.rfc3339)
    }
    writer.member("connections", counts.connections)
    let history = reloader.current
    writer.object("configuration") { writer in
      writer.member("loadedAt", history.lastSuccess.rfc3339)
      writer.member("failedReloads", history.failures)
    }
  }
}

extension JSONWriter {
  /// Requests by what was decided, and the users created.
  fileprivate mutating func write(_ tally: Tally) {
    member("requests", tally.requests)
    for decision in AuditDecision.allCases {
      key(text: Text(decision.rawValue))
      integer(tally.decisions[decision] ?? 0)
    }
    member("created", tally.created)
  }

  /// In milliseconds; `null` where nothing was measured.
  fileprivate mutating func writeQuantiles(of durations: DurationHistogram) {
    func milliseconds(_ share: Double) -> Double? {
      durations.quantile(share).map { Double($0 / 1000) / 1000 }
    }
    member("p50", milliseconds(0.5))
    member("p95", milliseconds(0.95))
    member("p99", milliseconds(0.99))
  }
}
