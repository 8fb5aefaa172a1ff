internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import StrictJSON

/// Writes spans in OTLP's JSON form, each with a comma behind it.
struct SpanWriter {
  private let trace: RequestTrace
  private let call: Call

  init(_ trace: RequestTrace, _ call: Call) {
    self.trace = trace
    self.call = call
  }

  /// The request's own span: who asked for what, and what became of it. What people are called, and what users bear,
  /// stands in the journal and not here.
  func appendRequest(_ ending: borrowing Ending, until end: MonotonicInstant, to out: inout [UInt8]) {
    let (operation, head) = (call.trail.operation, call.head)
    begin(
      operation?.name ?? "request", trace.span, parent: trace.parent, kind: 2, from: call.receivedAt,
      until: end,
      to: &out)
    out += #","attributes":["#.utf8
    if !head.span.isEmpty {
      Self.append("http.request.method", head[head.method].uncheckedTextIfUTF8, to: &out)
      out += ",".utf8
    }
    Self.append("gatehouse.request_id", call.id.text.string, to: &out)
    out += ",".utf8
    Self.append("gatehouse.decision", ending.decision.rawValue, to: &out)
    if let tenant = call.trail.tenant?.configured.id {
      out += ",".utf8
      Self.append("gatehouse.tenant", tenant.string, to: &out)
    }
    out += #",{"key":"http.response.status_code","value":{"intValue":"\#(ending.status)"}}]"#.utf8
    if ending.status >= 500 { out += #","status":{"code":2}"#.utf8 }
    out += "},".utf8
  }

  func append(_ stage: StageSpan, to out: inout [UInt8]) {
    begin(
      stage.stage.rawValue, stage.id, parent: trace.span, kind: stage.stage == .forward ? 3 : 1,
      from: stage.began, until: stage.ended, to: &out)
    out += "},".utf8
  }

  private func begin(
    _ name: String, _ id: UInt64, parent: UInt64?, kind: Int, from began: MonotonicInstant,
    until ended: MonotonicInstant, to out: inout [UInt8]
  ) {
    out += #"{"traceId":"\#(trace.trace.text)","spanId":"\#(TraceID.hex(id))""#.utf8
    if let parent { out += #","parentSpanId":"\#(TraceID.hex(parent))""#.utf8 }
    out += #","name":"\#(name)","kind":\#(kind)"#.utf8
    out +=
      #","startTimeUnixNano":"\#(wallClock(at: began))","endTimeUnixNano":"\#(wallClock(at: ended))""#.utf8
  }

  private func wallClock(at instant: MonotonicInstant) -> Int64 {
    call.time.nanoseconds + instant.nanoseconds(since: call.receivedAt)
  }

  static func append(_ key: StaticString, _ value: String, to out: inout [UInt8]) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("key", "\(key)")
    writer.object("value") { $0.member("stringValue", value) }
    writer.endObject()
    out += writer.bytes
  }
}

extension Span<UInt8> {
  fileprivate var uncheckedTextIfUTF8: String { isUTF8 ? uncheckedText.string : "?" }
}
