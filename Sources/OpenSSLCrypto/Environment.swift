/// Environment variables. Any of them may be a secret, so their values are wiped when the last copy goes.
package struct Environment: Sendable {
  private let values: [String: Secret]

  package init(_ variables: [String: String]) { values = variables.mapValues { Secret($0.utf8) } }

  package subscript(name: String) -> String? {
    values[name].map { $0.withBytes { String(decoding: $0, as: UTF8.self) } }
  }

  /// The value, where there is one: AWS's own tools take a variable that is set and empty for one that is not set.
  package func nonEmpty(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// All of them, for another process.
  package var copy: [String: String] {
    values.mapValues { $0.withBytes { String(decoding: $0, as: UTF8.self) } }
  }
}

extension Environment: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, String)...) {
    self.init(Dictionary(elements) { _, last in last })
  }
}
