internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import StrictJSON

/// One line a request, gathered on the loop and handed to the log's thread in batches.
struct AccessLog: ~Copyable {
  private var lines = ByteBuffer()
  private let sink: LogSink
  /// Below `info` in severity there is no access line.
  private let isEnabled: Bool

  private static let batch = 32 << 10

  init(sink: LogSink, isEnabled: Bool) {
    self.sink = sink
    self.isEnabled = isEnabled
  }

  mutating func append(_ call: Call, _ ending: borrowing Ending) {
    guard isEnabled else { return }
    lines.append(#"{"time":""#)
    lines.append(rfc3339: call.time)
    lines.append(#"","level":"info","message":"request","requestId":""#)
    lines.append(call.id)
    lines.append(#"","decision":""#)
    lines.append(string: ending.decision.rawValue)
    lines.append(#"","outcome":""#)
    lines.append(string: ending.outcome.rawValue)
    lines.append("\"")
    append(#","tenant":"#, call.trail.tenant?.configured.id)
    append(#","operation":"#, call.trail.operation?.text)
    append(#","sourceIp":"#, call.source.address)
    append(#","errorType":"#, ending.errorType)
    if let answer = ending.answer, let type = answer.errorType {
      let head = answer.message.head
      append(#","errorType":"#, head[type])
    }
    lines.append(#","status":"#)
    lines.append(decimal: ending.status)
    lines.append(#","durationMs":"#)
    lines.append(decimal: Int(ending.durationNanoseconds / 1_000_000))
    lines.append(".")
    lines.append(decimal: Int(ending.durationNanoseconds / 1000 % 1000), width: 3)
    lines.append("}\n")
    if lines.count >= Self.batch { flush() }
  }

  mutating func flush() {
    sink.write(lines.array)
    lines.removeAll()
  }

  private mutating func append(_ key: StaticString, _ value: Text?) {
    guard let bytes = value?.utf8 else { return }
    append(key, bytes.span)
  }

  /// Escaped like all JSON: a tenant's id or a name from the request cannot end the line.
  private mutating func append(_ key: StaticString, _ value: Span<UInt8>) {
    lines.append(key)
    lines.append(jsonString: value)
  }
}
