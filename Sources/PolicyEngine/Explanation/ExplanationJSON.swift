internal import Configuration
internal import Primitives
package import StrictJSON

extension Explanation {
  /// The bytes that would be sent: the caller's own unless something was changed. `nil`: the call has no body.
  package var body: [UInt8]? {
    changes.isEmpty ? request.document?.bytes : writtenBody
  }

  private var writtenBody: [UInt8] {
    var bytes = ByteBuffer()
    request.writeBody(to: &bytes)
    return bytes.array
  }

  /// One object on one line, as `explain --format json` prints it.
  /// - Parameter report: lines for people that go with it; `nil`: none.
  package func json(report: [String]? = nil) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("decision")
    writer.string(decision.isAllowed ? "allowed" : "denied")
    writer.key("violations")
    writer.write(decision.violations)
    writer.key("warnings")
    writer.write(decision.warnings)
    if !decision.wouldChange.isEmpty {
      writer.key("wouldChange")
      writer.write(decision.wouldChange)
    }
    if !decision.exceptions.isEmpty {
      writer.key("exceptions")
      writer.beginArray()
      for name in decision.exceptions { writer.string(name) }
      writer.endArray()
    }
    writer.key("changes")
    writer.write(changes)
    writer.key("request")
    writeBody(to: &writer)
    writer.key("policies")
    writer.beginArray()
    for name in appliedPolicies { writer.string(name) }
    writer.endArray()
    if let report { writer.member("report", report) }
    writer.endObject()
    return writer.bytes
  }

  private func writeBody(to writer: inout JSONWriter) {
    if !changes.isEmpty {
      writer.raw(writtenBody)
    } else if let document = request.document {
      writer.write(document.root, of: document)
    } else {
      writer.beginObject()
      writer.endObject()
    }
  }
}

/// What `explain --format json` prints of a request that policy never sees, because it breaks the API model.
package func invalidExplanationJSON(message: String) -> [UInt8] {
  var writer = JSONWriter()
  writer.beginObject()
  writer.key("decision")
  writer.string("invalid")
  writer.key("message")
  writer.string(message)
  writer.endObject()
  return writer.bytes
}

extension JSONWriter {
  /// `[{"policy":…,"rule":…,"field":…,"message":…}]`, with `severity`, `owner`, `help` and `exception` where they are given.
  package mutating func write(_ violations: [Violation]) {
    beginArray()
    for violation in violations {
      beginObject()
      key("policy")
      string(violation.policy)
      key("rule")
      string(violation.rule)
      key("field")
      string(violation.field)
      key("message")
      string(violation.message)
      if let severity = violation.severity { member("severity", Text(severity.rawValue)) }
      if let owner = violation.owner { member("owner", owner) }
      if let help = violation.help { member("help", help) }
      if let exception = violation.exception { member("exception", exception) }
      endObject()
    }
    endArray()
  }

  /// `[{"field":…,"from":…,"to":…}]`, without `from` where there was nothing.
  package mutating func write(_ changes: [Change]) {
    beginArray()
    for change in changes {
      beginObject()
      key("field")
      string(change.field)
      if let from = change.from {
        key("from")
        string(from)
      }
      key("to")
      string(change.to)
      endObject()
    }
    endArray()
  }

  /// A value without the white space between its parts, so that a file written over many lines stays one line here.
  /// As deep as the document, which is bounded.
  fileprivate mutating func write(_ node: JSONNode, of document: JSONDocument) {
    switch document.kind(node) {
    case .object:
      beginObject()
      for (name, value) in document.members(node) {
        if let text = document.text(name) { key(text: text) }
        write(value, of: document)
      }
      endObject()
    case .array:
      beginArray()
      for element in document.elements(node) { write(element, of: document) }
      endArray()
    case .null, .boolean, .integer, .real, .string:
      raw(document.bytes[document.source(node)])
    }
  }
}
