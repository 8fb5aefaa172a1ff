package import AuditTrail
package import Primitives
internal import StrictJSON

/// Holds what CloudTrail recorded of an account against the journal: what did not come through the gateway, and what the
/// journal says was answered and CloudTrail does not have.
package struct Crosscheck {
  /// A forwarded request, by what CloudTrail could know it.
  private struct Forwarded {
    let requestId: Text
    let time: WallClockTime
    let operation: Text
    let userArn: Text?
    let isRetried: Bool
    var isSeen = false
  }

  /// A request that CloudTrail should have and does not.
  package struct Unseen: Sendable, Hashable {
    package let requestId: Text
    package let upstreamRequestId: Text
    package let time: WallClockTime
    package let operation: Text
    package let tenant: Text?
    package let userArn: Text?
  }

  /// Of a request that was sent more than once, the journal has the last attempt's name: what else CloudTrail has about the
  /// same user within this time belongs to it.
  private static let longestRequest: Int64 = 900_000_000_000

  private var byUpstreamID: [Text: Forwarded] = [:]
  private var tenants: [Text: Text] = [:]
  private var retried: [Forwarded] = []
  /// In the order of the files.
  package private(set) var outside: [CloudTrailEvent] = []
  package private(set) var events = 0
  /// Refused by the service, so that nothing came of them.
  package private(set) var refused = 0
  private var first: WallClockTime?
  private var last: WallClockTime?

  package init() {}

  /// How many requests of the journal can be compared.
  package var requests: Int { byUpstreamID.count }

  /// Takes each request of the journal, before any event.
  package mutating func take(_ request: RequestHistory) {
    guard let operation = request.text("operation") else { return }
    let userArn = request.text("appInstanceUserArn") ?? request.text("resourceArn")
    let isRetried = request.integer("attempts").map { $0 > 1 } ?? false || request.outcome == "unknown"
    let forwarded = Forwarded(
      requestId: request.requestId, time: request.time, operation: operation, userArn: userArn,
      isRetried: isRetried)
    if isRetried { retried.append(forwarded) }
    guard let upstreamID = request.text("upstreamRequestId") else { return }
    byUpstreamID[upstreamID] = forwarded
    tenants[upstreamID] = request.text("tenant")
  }

  package mutating func take(_ event: CloudTrailEvent) {
    events += 1
    first = min(first ?? event.time, event.time)
    last = max(last ?? event.time, event.time)
    if let id = event.requestID, byUpstreamID[id] != nil {
      byUpstreamID[id]?.isSeen = true
    } else if event.errorCode != nil {
      refused += 1
    } else if !belongsToRetry(event) {
      outside.append(event)
    }
  }

  private func belongsToRetry(_ event: CloudTrailEvent) -> Bool {
    guard let userArn = event.userArn else { return false }
    return retried.contains { request in
      request.operation == event.name && request.userArn == userArn
        && abs(event.time.nanoseconds(since: request.time)) <= Self.longestRequest
    }
  }

  /// What the files should have: requests between their first and their last event.
  package var unseen: [Unseen] {
    guard let first, let last else { return [] }
    return byUpstreamID.filter { !$1.isSeen && $1.time >= first && $1.time <= last }.map { id, request in
      Unseen(
        requestId: request.requestId, upstreamRequestId: id, time: request.time,
        operation: request.operation, tenant: tenants[id], userArn: request.userArn)
    }.sorted { ($0.time, $0.requestId) < ($1.time, $1.requestId) }
  }
}

// What the command prints.

extension CloudTrailEvent {
  package var line: String {
    "not through the gateway: \(time.rfc3339) \(name.onOneLine) \(userArn?.onOneLine ?? "-") by \(identity?.onOneLine ?? "-")"
      + " from \(sourceAddress?.onOneLine ?? "-") (event \(eventID?.onOneLine ?? "-"))"
  }

  /// One object on one line.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("finding", "notThroughGateway")
    writer.member("time", time.rfc3339)
    writer.member("operation", name)
    writer.member("appInstanceUserArn", userArn)
    writer.member("userIdentity", identity)
    writer.member("sourceIp", sourceAddress)
    writer.member("userAgent", userAgent)
    writer.member("eventId", eventID)
    writer.member("upstreamRequestId", requestID)
    writer.endObject()
    return writer.bytes
  }
}

extension Crosscheck.Unseen {
  package var line: String {
    "not in CloudTrail: \(time.rfc3339) \(operation.onOneLine) \(userArn?.onOneLine ?? "-") of tenant"
      + " \(tenant?.onOneLine ?? "-") (request \(requestId.onOneLine))"
  }

  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("finding", "notInCloudTrail")
    writer.member("time", time.rfc3339)
    writer.member("operation", operation)
    writer.member("appInstanceUserArn", userArn)
    writer.member("tenant", tenant)
    writer.member("requestId", requestId)
    writer.member("upstreamRequestId", upstreamRequestId)
    writer.endObject()
    return writer.bytes
  }
}

extension Crosscheck {
  package var summary: String {
    "\(events) events of the API in CloudTrail's files, \(refused) of them refused by the service; \(requests) requests of"
      + " the journal; \(outside.count) not through the gateway, \(unseen.count) not in CloudTrail"
  }

  /// `{"summary":{…}}`
  package var summaryJSON: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.object("summary") { writer in
      writer.member("events", events)
      writer.member("refusedByService", refused)
      writer.member("requests", requests)
      writer.member("notThroughGateway", outside.count)
      writer.member("notInCloudTrail", unseen.count)
    }
    writer.endObject()
    return writer.bytes
  }
}
