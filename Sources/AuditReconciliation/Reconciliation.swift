package import AuditTrail
package import Primitives
internal import StrictJSON

/// Goes through requests without a known outcome, one after the other, and tells what it found.
package struct Reconciliation<Failure: Error> {
  private let reconciler: Reconciler
  private let clock: any TimeSource
  private let record: (([UInt8]) async throws(Failure) -> Void)?
  private let show: (Reconciled) -> Void

  /// - Parameters:
  ///   - record: puts a record into the journal and returns when it is on disk; `nil`: nothing is recorded.
  ///   - show: called with each request.
  package init(
    reconciler: Reconciler, clock: any TimeSource, record: (([UInt8]) async throws(Failure) -> Void)?,
    show: @escaping (Reconciled) -> Void
  ) {
    self.reconciler = reconciler
    self.clock = clock
    self.record = record
    self.show = show
  }

  /// Upstream is left alone after that many questions without an answer, each of which was asked several times.
  private static var mostFailuresInARow: Int { 3 }

  package func run(_ requests: [RequestHistory]) async throws(Failure) -> ReconciliationSummary {
    var summary = ReconciliationSummary()
    var failuresInARow = 0
    for request in requests {
      guard failuresInARow < Self.mostFailuresInARow else {
        summary.unavailable += 1
        show(Reconciled(request, .undecided("not asked, as upstream did not answer before")))
        continue
      }
      let finding: Finding
      do throws(UpstreamUnavailable) {
        finding = try await reconciler.find(request)
      } catch {
        failuresInARow += 1
        summary.unavailable += 1
        show(Reconciled(request, .undecided("upstream does not answer: \(error.reason)")))
        continue
      }
      failuresInARow = 0
      var reconciled = Reconciled(request, finding)
      if let record, finding.outcome != .unknown {
        try await record(finding.record(of: request, at: clock.wallClock()))
        reconciled.isRecorded = true
      }
      summary.found[finding.outcome, default: 0] += 1
      show(reconciled)
    }
    return summary
  }
}

package struct ReconciliationSummary: Sendable, Hashable {
  /// How many requests had which outcome.
  package var found: [AuditOutcome: Int] = [:]
  /// How many may be told by a later try.
  package var unavailable = 0

  /// How many are still unknown.
  package var left: Int { unavailable + (found[.unknown] ?? 0) }

  /// For people.
  package var text: String {
    var parts = AuditOutcome.allCases.compactMap { outcome in
      found[outcome].map { "\($0) \(outcome == .unknown ? "left unknown" : outcome.rawValue)" }
    }
    if unavailable > 0 { parts.append("\(unavailable) left, as upstream does not answer") }
    return parts.joined(separator: ", ")
  }
}

/// A request and what was found out about it.
package struct Reconciled {
  package let request: RequestHistory
  package let finding: Finding
  /// The journal has it, on disk.
  package var isRecorded = false

  package init(_ request: RequestHistory, _ finding: Finding) {
    self.request = request
    self.finding = finding
  }

  /// One line, for people.
  package var text: String {
    let cells: [String] = ["requestId", "operation", "appInstanceUserId"].map {
      request.text(Text($0))?.onOneLine ?? "-"
    }
    return "\(cells.joined(separator: "  "))  \(finding.outcome.rawValue): \(finding.reason.onOneLine)"
  }

  /// The object that `audit reconcile --format json` prints.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (key, name): (StaticString, Text) in [
      ("requestId", "requestId"), ("time", "time"), ("tenant", "tenant"), ("operation", "operation"),
      ("appInstanceArn", "appInstanceArn"), ("appInstanceUserId", "appInstanceUserId"),
    ] {
      writer.key(key)
      if let value = request.source(name) { writer.raw(value) } else { writer.null() }
    }
    writer.key("outcome")
    writer.string(finding.outcome.rawValue)
    if let arn = finding.userArn {
      writer.key("appInstanceUserArn")
      writer.string(arn)
    }
    writer.key("reason")
    writer.string(finding.reason)
    writer.key("recorded")
    writer.boolean(isRecorded)
    writer.endObject()
    return writer.bytes
  }
}
