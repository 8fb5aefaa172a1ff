internal import AuditTrail
internal import ChimeIdentity
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

  mutating func append(_ call: Call, _ decision: AuditDecision, _ result: AuditedResult) {
    guard isEnabled else { return }
    lines.append(#"{"time":""#)
    lines.append(rfc3339: call.time)
    lines.append(#"","level":"info","message":"request","requestId":""#)
    lines.append(call.id)
    lines.append(#"","decision":""#)
    lines.append(string: decision.rawValue)
    lines.append(#"","outcome":""#)
    lines.append(string: result.outcome.rawValue)
    lines.append("\"")
    append(#","tenant":"#, call.tenant)
    append(#","operation":"#, call.operation?.text)
    append(#","sourceIp":"#, call.source.address)
    append(#","errorType":"#, result.errorType)
    if let status = result.status {
      lines.append(#","status":"#)
      lines.append(decimal: status)
    }
    lines.append(#","durationMs":"#)
    lines.append(decimal: Int(result.durationNanoseconds / 1_000_000))
    lines.append(".")
    lines.append(decimal: Int(result.durationNanoseconds / 1000 % 1000), width: 3)
    lines.append("}\n")
    if lines.count >= Self.batch { flush() }
  }

  mutating func flush() {
    sink.write(lines.array)
    lines.removeAll()
  }

  /// Escaped like all JSON: a tenant's id or a name from the request cannot end the line.
  private mutating func append(_ key: StaticString, _ value: Text?) {
    guard let value else { return }
    lines.append(key)
    lines.append(quoted: value.utf8.span)
  }
}
