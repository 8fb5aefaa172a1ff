internal import Admin
internal import AuditTrail
internal import AuditStore
internal import Configuration
internal import CredentialSupply
internal import Primitives

/// Prometheus' text format 0.0.4, or OpenMetrics 1.0.0, which names counters without their suffix, has exemplars and ends
/// with a mark (https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md).
struct MetricsText {
  private(set) var bytes: [UInt8] = []
  private let form: MetricsForm
  private let exemplars: Exemplars

  init(_ form: MetricsForm = .text, exemplars: Exemplars = Exemplars()) {
    self.form = form
    self.exemplars = exemplars
  }

  /// - Parameter regions: what a series bears that there is for each region; nothing where there is but one.
  mutating func append(_ counts: Metrics.Counts, regions: PerRegion<[(String, String)]>) {
    begin("gatehouse_requests_total", "counter", "Requests by what became of them.")
    for (key, count) in counts.requests.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      sample(
        "gatehouse_requests_total",
        [
          ("tenant", key.tenant.string), ("operation", key.operation.string),
          ("decision", key.decision.rawValue),
          ("status", "\(key.status)"),
        ], "\(count)")
    }
    begin("gatehouse_users_created_total", "counter", "Users that upstream said to be created.")
    for (tenant, count) in counts.created.sorted(by: { $0.key < $1.key }) {
      sample("gatehouse_users_created_total", [("tenant", tenant.string)], "\(count)")
    }
    gauge("gatehouse_requests_in_flight", "Requests under way.", Int64(counts.inFlight))
    begin("gatehouse_request_duration_seconds", "histogram", "From the first byte to the answer.")
    for (operation, histogram) in counts.requestDurations.all {
      samples(
        "gatehouse_request_duration_seconds", [("operation", OperationDurations.name(of: operation).string)],
        histogram
      ) { $0[operation: operation, bucket: $1] }
    }
    begin("gatehouse_upstream_duration_seconds", "histogram", "Spent on upstream, retries included.")
    samples("gatehouse_upstream_duration_seconds", [], counts.upstreamDuration) { $0[upstream: $1] }
    begin("gatehouse_policy_violations_total", "counter", "Violations of policies.")
    for (key, count) in counts.violations.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      sample(
        "gatehouse_policy_violations_total",
        [
          ("policy", key.policy.string), ("rule", key.rule), ("tenant", key.tenant.string),
          ("mode", key.mode.string),
        ], "\(count)")
    }
    begin(
      "gatehouse_policy_exceptions_total", "counter",
      "Requests of which an exception made violations warnings.")
    for (name, count) in counts.exceptions.sorted(by: { $0.key < $1.key }) {
      sample("gatehouse_policy_exceptions_total", [("exception", name.string)], "\(count)")
    }
    begin("gatehouse_policy_changes_total", "counter", "Changes of requests that were forwarded.")
    for (key, count) in counts.changes.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      sample(
        "gatehouse_policy_changes_total", [("policy", key.policy.string), ("field", key.field.string)],
        "\(count)")
    }
    begin(
      "gatehouse_authentication_failures_total", "counter", "Requests behind which nobody known stands.")
    for (reason, count) in counts.unauthenticated.sorted(by: { $0.key.string < $1.key.string }) {
      sample("gatehouse_authentication_failures_total", [("reason", reason.string)], "\(count)")
    }
    begin("gatehouse_rate_limited_total", "counter", "Requests that a limit refused, or would have.")
    for (key, count) in counts.limited.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      sample(
        "gatehouse_rate_limited_total", [("tenant", key.tenant.string), ("scope", key.scope)],
        "\(count)")
    }
    begin("gatehouse_upstream_retries_total", "counter", "Attempts after the first.")
    for (reason, count) in counts.retries.sorted(by: { $0.key.string < $1.key.string }) {
      sample("gatehouse_upstream_retries_total", [("reason", reason.string)], "\(count)")
    }
    begin("gatehouse_upstream_responses_total", "counter", "Answers of upstream, each attempt's.")
    for (status, count) in counts.responses.sorted(by: { $0.key < $1.key }) {
      sample("gatehouse_upstream_responses_total", [("status", "\(status)")], "\(count)")
    }
    begin("gatehouse_upstream_connections", "gauge", "Connections to upstream.")
    let pools = counts.pools ?? regions.map { _ in .init(idle: 0, inUse: 0) }
    for (labels, pool) in zip(regions.all, pools.all) {
      sample("gatehouse_upstream_connections", labels + [("state", "idle")], "\(pool.idle)")
      sample("gatehouse_upstream_connections", labels + [("state", "active")], "\(pool.inUse)")
    }
    gauge("gatehouse_connections", "Open connections of callers.", Int64(counts.connections))
  }

  /// - Parameter isUp: `nil`: there is no store.
  mutating func append(store isUp: Bool?, _ durations: DurationHistogram) {
    guard let isUp else { return }
    gauge("gatehouse_rate_limit_store_up", "Whether limits are counted in the store.", isUp ? 1 : 0)
    histogram(
      "gatehouse_rate_limit_store_duration_seconds", "What a request waited for the store's decision.",
      durations)
  }

  mutating func append(circuits: [(labels: [(String, String)], isOpen: Bool)]) {
    begin("gatehouse_circuit_open", "gauge", "Whether upstream is left alone.")
    for circuit in circuits { sample("gatehouse_circuit_open", circuit.labels, circuit.isOpen ? "1" : "0") }
  }

  mutating func append(_ connections: ConnectionGate) {
    begin("gatehouse_connections_refused_total", "counter", "Connections closed unanswered, by what ran out.")
    let refused = connections.refused
    for limit in ConnectionGate.Limit.allCases {
      sample(
        "gatehouse_connections_refused_total", [("limit", limit.rawValue)], "\(refused[limit] ?? 0)")
    }
  }

  mutating func append(_ credentials: SigningIdentity.Status, now: WallClockTime) {
    if let end = credentials.end {
      gauge(
        "gatehouse_credentials_expiry_timestamp_seconds", "When the gateway's credentials end.", end.seconds)
    }
    if let time = credentials.obtainedAt {
      gauge(
        "gatehouse_credentials_age_seconds", "How long the gateway has had its credentials.",
        max(0, now.seconds - time.seconds))
    }
    if let source = credentials.source {
      begin("gatehouse_credentials_info", "gauge", "Where the gateway's credentials come from.")
      sample("gatehouse_credentials_info", [("source", source)], "1")
    }
    gauge(
      "gatehouse_credentials_refresh_failing", "Whether the last attempt to get credentials failed.",
      credentials.isFailing ? 1 : 0)
  }

  mutating func append(_ journal: JournalStatistics) {
    counter("gatehouse_audit_records_total", "Records written to the journal.", journal.records)
    histogram(
      "gatehouse_audit_fsync_duration_seconds", "How long the disk took.", journal.synchronizations)
    counter(
      "gatehouse_audit_suppressed_records_total",
      "Records that were not written, of which `suppressed` records tell the number.", journal.suppressed)
    gauge("gatehouse_audit_journal_bytes", "What the journal's segments take.", Int64(journal.bytes))
    if let free = journal.freeBytes {
      gauge("gatehouse_audit_free_bytes", "What the disk has left for the journal.", Int64(free))
    }
    gauge(
      "gatehouse_audit_unwritten_outcomes", "Outcomes that could not be written.",
      Int64(journal.unwrittenOutcomes))
    counter(
      "gatehouse_audit_checkpoint_failures_total", "Checkpoints that could not be written.",
      journal.checkpointFailures)
    if let time = journal.lastCheckpoint {
      gauge(
        "gatehouse_audit_last_checkpoint_timestamp_seconds",
        "When the last checkpoint was written; none is while no record comes.", time.seconds)
    }
  }

  /// What the files of the snapshot say of themselves.
  mutating func append(_ snapshot: Snapshot, listeners: [(address: String, certificateEnd: WallClockTime?)]) {
    begin("gatehouse_policy_info", "gauge", "The policies in force.")
    sample("gatehouse_policy_info", [("revision", snapshot.policyRevision.string)], "1")
    begin(
      "gatehouse_tenant_key_expiry_timestamp_seconds", "gauge",
      "When the last of a tenant's access keys ends, where each of them does.")
    for tenant in snapshot.tenants.tenants {
      guard let end = tenant.lastKeyEnd else { continue }
      sample(
        "gatehouse_tenant_key_expiry_timestamp_seconds", [("tenant", tenant.id.string)], "\(end.seconds)")
    }
    begin(
      "gatehouse_certificate_expiry_timestamp_seconds", "gauge", "When a listener's certificate ends.")
    for listener in listeners {
      guard let end = listener.certificateEnd else { continue }
      sample(
        "gatehouse_certificate_expiry_timestamp_seconds", [("listener", listener.address)], "\(end.seconds)")
    }
  }

  /// As Prometheus' client libraries name it.
  mutating func append(_ process: ProcessFigures) {
    begin("process_cpu_seconds_total", "counter", "Processor time, user and system.")
    sample("process_cpu_seconds_total", [], "\(process.cpuSeconds)")
    gauge("process_resident_memory_bytes", "Resident memory.", process.residentBytes)
    gauge("process_virtual_memory_bytes", "Virtual memory.", process.virtualBytes)
    gauge("process_start_time_seconds", "When the process was started.", process.startSeconds)
    gauge("process_open_fds", "Open file descriptors.", process.openDescriptors)
    gauge("process_max_fds", "The most of them that the process may have.", process.mostDescriptors)
  }

  mutating func buildInfo() {
    begin("gatehouse_build_info", "gauge", "The running version.")
    sample("gatehouse_build_info", [("version", GatehouseVersion.current)], "1")
  }

  mutating func gauge(_ name: String, _ help: String, _ value: Int64) {
    begin(name, "gauge", help)
    sample(name, [], "\(value)")
  }

  mutating func counter(_ name: String, _ help: String, _ value: Int) {
    begin(name, "counter", help)
    sample(name, [], "\(value)")
  }

  mutating func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
    begin(name, "histogram", help)
    samples(name, [], histogram)
  }

  /// - Parameter exemplar: finds that of a bucket.
  private mutating func samples(
    _ name: String, _ labels: [(String, String)], _ histogram: DurationHistogram,
    exemplar: (Exemplars, _ bucket: Int) -> Exemplars.Exemplar? = { _, _ in nil }
  ) {
    var total = 0
    let bounds = DurationHistogram.bounds.map(Self.seconds) + ["+Inf"]
    for (bucket, (bound, count)) in zip(bounds, histogram.buckets).enumerated() {
      total += count
      let example = form == .openMetrics ? exemplar(exemplars, bucket)?.text : nil
      sample("\(name)_bucket", labels + [("le", bound)], "\(total)\(example ?? "")")
    }
    sample("\(name)_sum", labels, Self.seconds(histogram.totalNanoseconds))
    sample("\(name)_count", labels, "\(histogram.count)")
  }

  private static func seconds(_ nanoseconds: Int64) -> String { "\(Double(nanoseconds) / 1e9)" }

  /// What ends a whole text.
  mutating func end() {
    if form == .openMetrics { bytes.append(string: "# EOF\n") }
  }

  private mutating func begin(_ name: String, _ type: String, _ help: String) {
    let isCounter = form == .openMetrics && type == "counter"
    let name = isCounter ? name.dropLast("_total".count) : name[...]
    bytes.append(string: "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
  }

  private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
    bytes.append(string: name)
    if !labels.isEmpty {
      let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
      bytes.append(string: "{\(list)}")
    }
    bytes.append(string: " \(value)\n")
  }

  private static func escaped(_ value: String) -> String {
    var out = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

/// The version of this build.
package enum GatehouseVersion {
  package static let current = "0.1.0"
}
