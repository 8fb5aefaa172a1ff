package import Primitives

/// A value in a `JSONDocument`; valid only with the document that gave it.
package struct JSONNode: Hashable, Sendable {
  package let index: Int32
}

package enum JSONKind: UInt8, Sendable {
  case null, boolean, integer, real, string, array, object
}

package struct JSONSyntaxError: Error, Hashable {
  /// Offset of the offending byte.
  package let offset: Int
  /// Lower case, no full stop: `duplicate key "Name"`.
  package let message: String
}

/// One JSON text (RFC 8259), read strictly in a single pass: no duplicate keys, no invalid UTF-8, no NUL,
/// no lone surrogates, bounded depth. It keeps the bytes and a flat list of nodes.
package struct JSONDocument: Sendable {
  package let bytes: [UInt8]

  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    self.bytes = bytes
    throw JSONSyntaxError(offset: 0, message: "interface only")
  }

  package var root: JSONNode { JSONNode(index: 0) }
  package func kind(_ node: JSONNode) -> JSONKind { .null }
  /// The bytes of the value as they stand in the text.
  package func source(_ node: JSONNode) -> Range<Int> { 0..<0 }
  /// The unescaped string, or `nil` when it is not one.
  package func text(_ node: JSONNode) -> Text? { nil }
  /// Compares without making a `Text`.
  package func isText(_ node: JSONNode, _ expected: Text) -> Bool { false }
  /// The number, or `nil` when it is not a whole number that fits.
  package func integer(_ node: JSONNode) -> Int? { nil }
  package func boolean(_ node: JSONNode) -> Bool? { nil }
  /// In order; empty when it is not an array.
  package func elements(_ node: JSONNode) -> [JSONNode] { [] }
  /// In order; empty when it is not an object.
  package func members(_ node: JSONNode) -> [(key: JSONNode, value: JSONNode)] { [] }
  package func member(_ key: Text, of node: JSONNode) -> JSONNode? { nil }
}
