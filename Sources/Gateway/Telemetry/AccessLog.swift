internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import PolicyEngine
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
    appendCaller(call)
    append(#","operation":"#, call.trail.operation?.text)
    append(#","sourceIp":"#, call.source.address)
    append(#","errorType":"#, ending.errorType)
    if ending.errorType == nil, let answer = ending.answer, let type = answer.errorType {
      let head = answer.message.head
      append(#","errorType":"#, head[type])
    }
    appendFindings(call)
    appendReason(ending)
    lines.append(#","status":"#)
    lines.append(decimal: ending.status)
    lines.append(#","durationMs":"#)
    lines.append(decimal: Int(ending.durationNanoseconds / 1_000_000))
    lines.append(".")
    lines.append(decimal: Int(ending.durationNanoseconds / 1000 % 1000), width: 3)
    lines.append("}\n")
    if lines.count >= Self.batch { flush() }
  }

  /// The key that signed, or was claimed to, and on whose behalf.
  private mutating func appendCaller(_ call: Call) {
    if let key = call.trail.key {
      append(#","accessKeyId":"#, key.id)
    } else if let claimed = call.trail.claimedAccessKeyId?.utf8, !claimed.isEmpty {
      append(#","accessKeyId":"#, RecordWriter.cut(claimed.span, after: RecordWriter.longestOfStranger))
    }
    let head = call.head
    if let actor = call.trail.actor { append(#","actor":"#, head[actor]) }
  }

  /// The rules that were broken or warned about, each once.
  private mutating func appendFindings(_ call: Call) {
    lines.append(#","rules":["#)
    var seen: Set<String> = []
    for rule in call.brokenRules where seen.insert(rule).inserted {
      append(seen.count == 1 ? "" : ",", Text(rule))
    }
    lines.append("]")
  }

  /// What upstream says of the gateway's own credentials can name its role, and is only recorded.
  private mutating func appendReason(_ ending: borrowing Ending) {
    guard ending.errorType != nil, let answer = ending.answer else {
      return append(#","reason":"#, ending.reason.map { Text($0) })
    }
    guard let type = answer.errorType else { return }
    let head = answer.message.head
    append(#","upstreamErrorType":"#, head[type])
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

extension Call {
  /// Of policies and of the gateway itself; in a request that was let pass, what warned.
  fileprivate var brokenRules: [String] {
    var rules = trail.gatewayViolation.map { [$0.rule] } ?? []
    if let judged = trail.judged {
      if !judged.isAllowed { rules += judged.decision.violations.map(\.rule) }
      if judged.hasWarnings { rules += judged.decision.warnings.map(\.rule) }
    }
    return rules + limitWarnings.map(\.rule)
  }
}
