import AuditStore
import AuditTrail
import Primitives
import StrictJSON
import Transport

/// Goes through requests without a known outcome, one after the other, and tells what it found.
struct Reconciliation {
  let reconciler: Reconciler
  /// Where findings go; `nil`: nowhere.
  let journal: Journal?
  let format: FormatOption.Format
  let clock: any TimeSource

  struct Summary: Sendable {
    var found: [AuditOutcome: Int] = [:]
    /// How many may be told by a later try.
    var unavailable = 0

    var left: Int { unavailable + (found[.unknown] ?? 0) }
  }

  /// Upstream is left alone after that many questions without an answer, each of which was asked several times.
  private static let mostFailuresInARow = 3

  func run(_ requests: [RequestHistory]) async throws(CommandFailure) -> Summary {
    var summary = Summary()
    var failuresInARow = 0
    for request in requests {
      guard failuresInARow < Self.mostFailuresInARow else {
        summary.unavailable += 1
        show(request, .undecided("not asked, as upstream did not answer before"), isRecorded: false)
        continue
      }
      let finding: Finding
      do throws(UpstreamUnavailable) {
        finding = try await reconciler.find(request)
      } catch {
        failuresInARow += 1
        summary.unavailable += 1
        show(request, .undecided("upstream does not answer: \(error.reason)"), isRecorded: false)
        continue
      }
      failuresInARow = 0
      let isRecorded = try await record(finding, of: request)
      summary.found[finding.outcome, default: 0] += 1
      show(request, finding, isRecorded: isRecorded)
    }
    return summary
  }

  /// Returns when it is on disk.
  private func record(_ finding: Finding, of request: RequestHistory) async throws(CommandFailure) -> Bool {
    guard let journal, finding.outcome != .unknown else { return false }
    do throws(JournalFailure) {
      _ = try await journal.append(finding.record(of: request, at: clock.wallClock()))
      return true
    } catch {
      throw CommandFailure(.bad, error.message)
    }
  }

  private func show(_ request: RequestHistory, _ finding: Finding, isRecorded: Bool) {
    switch format {
    case .json: Console.data(json(request, finding, isRecorded))
    case .text:
      let cells: [String] = ["requestId", "operation", "appInstanceUserId"].map {
        request.text(Text($0))?.onOneLine ?? "-"
      }
      Console.data(
        "\(cells.joined(separator: "  "))  \(finding.outcome.rawValue): \(finding.reason.onOneLine)")
    }
  }

  private func json(_ request: RequestHistory, _ finding: Finding, _ isRecorded: Bool) -> [UInt8] {
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
