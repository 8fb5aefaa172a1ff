internal import Primitives
package import StrictJSON

/// What the admin listener shows and does; the gateway provides it.
package protocol AdminSource: Sendable {
  /// What must be in order for requests to be served.
  func readiness() -> [ReadinessCheck]
  /// Everything counted.
  func metrics(as form: MetricsForm) -> [UInt8]
  /// Loads the configuration anew; on failure the running set stays in force.
  func reload() async -> ReloadResult
}

package struct ReadinessCheck: Sendable {
  package let name: String
  package let isReady: Bool
  /// For people: what is wrong, or what is there.
  package let detail: String
  /// What some checks tell besides.
  package enum Fact: Sendable {
    case text(String?)
    case number(Int?)
  }
  package let facts: [(name: String, value: Fact)]

  package init(_ name: String, isReady: Bool, detail: String, facts: [(name: String, value: Fact)] = []) {
    self.name = name
    self.isReady = isReady
    self.detail = detail
    self.facts = facts
  }
}

package enum ReloadResult: Sendable {
  case done(revision: String)
  /// `file:line:column: error: …` each.
  case failed(problems: [String])
}

extension AdminSource {
  /// What `/readyz` answers.
  package func readinessObject() -> (isReady: Bool, body: [UInt8]) {
    let checks = readiness()
    let isReady = checks.allSatisfy(\.isReady)
    let body = JSONWriter.object { writer in
      writer.key("ready")
      writer.boolean(isReady)
      writer.key("checks")
      writer.write(checks)
    }
    return (isReady, body)
  }
}

extension JSONWriter {
  /// `{"journal":{"ok":true,"detail":…}}`
  package mutating func write(_ checks: [ReadinessCheck]) {
    beginObject()
    for check in checks {
      key(text: Text(check.name))
      beginObject()
      key("ok")
      boolean(check.isReady)
      member("detail", check.detail)
      for fact in check.facts {
        key(text: Text(fact.name))
        switch fact.value {
        case .text(let text?): string(text)
        case .number(let number?): integer(number)
        case .text(nil), .number(nil): null()
        }
      }
      endObject()
    }
    endObject()
  }
}
