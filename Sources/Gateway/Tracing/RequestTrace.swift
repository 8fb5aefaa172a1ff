internal import AuditTrail
internal import Primitives

/// What is traced of one request: its span, and when each stage began. There is one only while somebody wants it.
final class RequestTrace {
  let trace: TraceID
  /// The caller's span.
  let parent: UInt64?
  let span: UInt64
  /// What upstream is told as its parent: the span of the stage that forwards.
  let forwarding: UInt64
  private(set) var stages: [(stage: RequestJourney.Stage, began: MonotonicInstant)] = []

  /// - Parameter entropy: gives numbers that are new and not 0.
  init(after parent: TraceParent?, _ entropy: any Entropy) {
    func id() -> UInt64 { max(1, entropy.next()) }
    trace = parent?.trace ?? TraceID(high: id(), low: id())
    self.parent = parent?.span
    span = id()
    forwarding = id()
  }

  /// The stage before ends where this one begins.
  func enter(_ stage: RequestJourney.Stage, at now: MonotonicInstant) { stages.append((stage, now)) }

  /// The value of `traceparent` for upstream.
  var traceparent: String { "00-\(trace.text)-\(TraceID.hex(forwarding))-01" }
}
