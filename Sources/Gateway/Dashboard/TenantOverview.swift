internal import Configuration
internal import Patterns
internal import Primitives
internal import RateLimiting
internal import StrictJSON
internal import Synchronization

/// `/api/tenants`
extension GatewayServer {
  func writeTenants(of snapshot: Snapshot, to writer: inout JSONWriter) {
    let now = clock.wallClock()
    let counts = counts(of: snapshot)
    let minutes = dashboard.history.withLock { $0.all(with: counts, at: now) }
    let hour = minutes.reduce(into: Tally()) { $0.add($1.tally) }
    writer.member("time", now.rfc3339)
    writer.member("since", (minutes.first?.begin ?? now).rfc3339)
    writer.objects("tenants", snapshot.tenants.tenants) { writer, tenant in
      writer.write(tenant, at: now)
      let meter = snapshot.meters.meter(of: tenant.id)
      let usage = hour.tenants[tenant.id] ?? Tally.TenantTally()
      writer.object("usage") { writer in
        writer.member("inFlight", tenant.rateLimit?.concurrency == nil ? nil : meter.inFlight)
        writer.member("requestsPerSecond", Self.rate(of: tenant.id, in: minutes))
        writer.member("requests", usage.requests)
        writer.member("created", usage.created)
        writer.member("denied", usage.denied)
        writer.member("throttled", usage.throttled)
      }
    }
  }

  /// Over the last whole minute and what has passed of this one.
  private static func rate(of tenant: Text, in minutes: [MinuteHistory.Minute]) -> Double? {
    let latest = minutes.suffix(2)
    guard let first = latest.first, let last = latest.last else { return nil }
    let seconds = Double(last.end.nanoseconds(since: first.begin)) / 1e9
    guard seconds >= 1 else { return nil }
    let requests = latest.reduce(0) { $0 + ($1.tally.tenants[tenant]?.requests ?? 0) }
    return (Double(requests) / seconds * 1000).rounded() / 1000
  }
}

extension JSONWriter {
  /// With the keys of the tenants file, and without secrets. A key's `status` says what it is good for now.
  fileprivate mutating func write(_ tenant: Tenant, at now: WallClockTime) {
    member("id", tenant.id)
    member("description", tenant.description)
    objects("accessKeys", tenant.accessKeys) { writer, accessKey in
      writer.member("id", accessKey.id)
      writer.member("status", accessKey.status.standing(until: accessKey.notAfter, at: now).rawValue)
      writer.member("notAfter", accessKey.notAfter?.rfc3339)
    }
    member("clientCertificates", tenant.clientCertificates.map { "\($0)" })
    member("appInstances", tenant.appInstances.map(\.source))
    member("operations", tenant.operations.sorted())
    if let limit = tenant.rateLimit {
      write(limit)
    } else {
      key("rateLimit")
      null()
    }
    key("regions")
    if let regions = tenant.regions {
      beginArray()
      for region in regions { string(region) }
      endArray()
    } else {
      null()
    }
    member("role", tenant.role?.arn)
    object("labels") { writer in
      for (name, value) in tenant.labels.sorted(by: { $0.key < $1.key }) {
        writer.key(text: name)
        writer.string(value)
      }
    }
  }
}
