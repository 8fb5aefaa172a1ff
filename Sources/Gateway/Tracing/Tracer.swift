internal import AuditTrail
internal import Configuration
internal import HTTPWire
internal import OpenSSLCrypto
internal import Primitives
internal import StrictJSON
internal import Transport

/// Gathers the spans of a worker's requests and sends them to a collector by OTLP over HTTP, as JSON, behind the requests:
/// nobody waits for it, and what a collector does not take in time is lost and counted.
/// (https://opentelemetry.io/docs/specs/otlp/#otlphttp)
///
/// `@unchecked Sendable`: it belongs to its loop's thread, which alone touches it.
final class Tracer: @unchecked Sendable {
  /// Told once when the collector stops taking spans, with the reason, and once when it takes them again, with how many
  /// were lost; and at the end, if then some are.
  enum Event: Sendable {
    case failing(reason: String)
    case working(lost: Int)
    case ended(lost: Int)
  }

  private static let mostBytes = 4 << 20
  private static let timeout: Int64 = 5_000_000_000
  /// Between two looks at a batch that is under way, at the end.
  private static let pause: Int64 = 10_000_000

  private let settings: TraceSettings
  private let collector: any Upstream
  private let loop: EventLoop
  private let report: @Sendable (Event) -> Void
  private var spans: [UInt8] = []
  private var count = 0
  private var lost = 0
  /// How many are under way.
  private var sending = 0
  private var isFailing = false

  init(
    _ settings: TraceSettings, collector: any Upstream, on loop: EventLoop,
    report: @escaping @Sendable (Event) -> Void
  ) {
    self.settings = settings
    self.collector = collector
    self.loop = loop
    self.report = report
  }

  /// `nil` when the caller does not record the trace that the request belongs to.
  func begin(_ head: RequestHead, _ entropy: any Entropy) -> RequestTrace? {
    let parent = head.first(.traceparent).flatMap { TraceParent(head[$0]) }
    if let parent, !parent.isSampled { return nil }
    return RequestTrace(after: parent, entropy)
  }

  func end(_ trace: RequestTrace, _ call: Call, _ ending: borrowing Ending) {
    let end = call.receivedAt.advanced(byNanoseconds: ending.durationNanoseconds)
    var stages: [StageSpan] = []
    for (index, stage) in trace.stages.enumerated() {
      let next = index + 1 < trace.stages.count ? trace.stages[index + 1].began : end
      let id = stage.stage == .forward ? trace.forwarding : trace.span ^ UInt64(index + 1)
      stages.append(StageSpan(stage: stage.stage, id: id, began: stage.began, ended: next))
    }
    guard spans.count < Self.mostBytes else {
      lost += stages.count + 1
      return
    }
    let writer = SpanWriter(trace, call)
    writer.appendRequest(ending, until: end, to: &spans)
    for stage in stages { writer.append(stage, to: &spans) }
    count += stages.count + 1
  }

  /// To be called by the loop's tick.
  func tick() {
    collector.sweep()
    guard sending == 0, count > 0 else { return }
    // From here on it is under way, whenever the task begins.
    let batch = takeBatch()
    loop.spawn { [self] in await send(batch, by: nil) }
  }

  /// Sends what there is, once all requests have ended; returns at `end` at the latest.
  func close(by end: MonotonicInstant) async {
    while sending > 0, loop.clock.monotonic() < end { await loop.sleep(nanoseconds: Self.pause) }
    if sending == 0, count > 0 { await send(takeBatch(), by: end) }
    let left = lost + sending + count
    if left > 0 { report(.ended(lost: left)) }
  }

  private func takeBatch() -> [UInt8] {
    defer { (spans, count) = ([], 0) }
    sending = count
    return spans
  }

  private func send(_ batch: [UInt8], by end: MonotonicInstant?) async {
    let refusal = await refusal(of: batch, by: end)
    note(refusal, sending)
    sending = 0
  }

  /// - Returns: why they were not taken.
  private func refusal(of batch: [UInt8], by end: MonotonicInstant?) async -> String? {
    do throws(ExchangeFailure) {
      let usual = loop.clock.monotonic().nanoseconds + Self.timeout
      let deadline = end.map { min($0.nanoseconds, usual) } ?? usual
      let status = try await collector.exchange(request(batch), deadline: deadline).head.status
      return (200..<300).contains(status) ? nil : "the collector answers \(status)"
    } catch {
      return switch error {
      case .notSent(let reason), .lost(let reason): "\(reason)"
      case .unreadable(let violation): "its answer cannot be read: \(violation)"
      case .timedOut: "no answer in time"
      }
    }
  }

  private func note(_ reason: String?, _ size: Int) {
    if let reason {
      lost += size
      if !isFailing { report(.failing(reason: reason)) }
      isFailing = true
    } else if isFailing || lost > 0 {
      report(.working(lost: lost))
      isFailing = false
      lost = 0
    }
  }

  private func request(_ spans: [UInt8]) -> ByteBuffer {
    var body: [UInt8] = []
    body += #"{"resourceSpans":[{"resource":{"attributes":["#.utf8
    SpanWriter.append("service.name", settings.serviceName, to: &body)
    body += ",".utf8
    SpanWriter.append("service.version", GatehouseVersion.current, to: &body)
    body += #"]},"scopeSpans":[{"scope":{"name":"gatehouse"},"spans":["#.utf8
    // Each span ends with a comma.
    body += spans.dropLast()
    body += "]}]}]}".utf8
    let (method, path, none) = (Array("POST".utf8), Array(settings.path.utf8), [UInt8]())
    var out = ByteBuffer()
    RequestWriter.appendLine(method: method.span, path: path.span, query: none.span, into: &out)
    out.append(field: "Host", Array(settings.endpoint.authority.utf8))
    out.append(field: "User-Agent", literal: "gatehouse")
    out.append(field: "Content-Type", literal: "application/json")
    for field in settings.fields {
      let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
      out.append(fieldNamed: name.span, value.span)
    }
    out.append(field: "Content-Length", decimal: body.count)
    out.append("\r\n")
    out.append(body)
    return out
  }
}

struct StageSpan {
  let stage: RequestJourney.Stage
  let id: UInt64
  let began: MonotonicInstant
  let ended: MonotonicInstant
}
