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
  /// The message without anything that stands in the text, for those who may not show it: `duplicate key`.
  package let reason: String

  /// - Parameter reason: the message itself when it quotes nothing.
  init(offset: Int, message: String, reason: String? = nil) {
    self.offset = offset
    self.message = message
    self.reason = reason ?? message
  }
}

/// One JSON text (RFC 8259), read strictly in a single pass: no duplicate keys, no invalid UTF-8, no NUL,
/// no lone surrogates, no number beyond `Int` or `Double`, at most `maximumDepth` containers inside one another.
/// It keeps the bytes and a flat list of nodes that refer to them.
package struct JSONDocument: Sendable {
  /// Deeper than any request of the service model (3) or any file of ours needs, shallow enough for whatever
  /// walks the tree by recursion.
  package static let maximumDepth = 32

  package let bytes: [UInt8]
  private let tape: [JSONTapeEntry]

  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var scanner = JSONScanner(expecting: bytes.count)
    try scanner.scan(bytes.span)
    tape = scanner.tape
    self.bytes = bytes
  }

  package var root: JSONNode { JSONNode(index: 0) }

  @inline(__always)
  package func kind(_ node: JSONNode) -> JSONKind { self[node].kind }

  /// The bytes of the value as they stand in the text.
  package func source(_ node: JSONNode) -> Range<Int> { self[node].source }

  /// The unescaped string, or `nil` when it is not one.
  package func text(_ node: JSONNode) -> Text? {
    utf8(node).map { Text(uncheckedUTF8: Array($0)) }
  }

  /// The unescaped string's bytes, or `nil` when it is not one; a view of the text unless it has escapes.
  package func utf8(_ node: JSONNode) -> ArraySlice<UInt8>? {
    let entry = self[node]
    guard entry.kind == .string else { return nil }
    guard entry.isEscaped else { return bytes[entry.content] }
    return JSONString.unescape(bytes.span, entry.content)[...]
  }

  /// Where in `bytes` the string stands; `nil` when it is not one or has escapes, so that no bytes there are the
  /// string. For those who look at many strings and want to own none.
  @inline(__always)
  package func plainString(_ node: JSONNode) -> Range<Int>? {
    let entry = self[node]
    return entry.kind == .string && !entry.isEscaped ? entry.content : nil
  }

  /// Compares without making a `Text`.
  package func isText(_ node: JSONNode, _ expected: Text) -> Bool {
    let entry = self[node]
    guard entry.kind == .string else { return false }
    guard !entry.isEscaped else { return utf8(node).map { $0.elementsEqual(expected.utf8) } ?? false }
    return entry.content.count == expected.utf8.count && bytes[entry.content].elementsEqual(expected.utf8)
  }

  /// The number, or `nil` when it is not written as a whole number (`1.0` and `1e2` are not).
  package func integer(_ node: JSONNode) -> Int? {
    let entry = self[node]
    guard entry.kind == .integer else { return nil }
    return JSONNumber.integer(bytes.span, entry.source)
  }

  /// The number, whole or not, as near as a `Double` comes; `nil` when it is not one.
  package func real(_ node: JSONNode) -> Double? {
    let entry = self[node]
    guard entry.kind == .integer || entry.kind == .real else { return nil }
    return JSONNumber.real(bytes.span, entry.source)
  }

  package func boolean(_ node: JSONNode) -> Bool? {
    let entry = self[node]
    return entry.kind == .boolean ? bytes[entry.source.lowerBound] == UInt8(ascii: "t") : nil
  }

  /// In order; empty when it is not an array.
  package func elements(_ node: JSONNode) -> JSONElements {
    let entry = self[node]
    return JSONElements(
      tape: tape, cursor: node.index + 1, end: entry.kind == .array ? entry.next : node.index + 1)
  }

  /// In order; empty when it is not an object.
  package func members(_ node: JSONNode) -> JSONMembers {
    let entry = self[node]
    return JSONMembers(
      tape: tape, cursor: node.index + 1, end: entry.kind == .object ? entry.next : node.index + 1)
  }

  package func member(_ key: Text, of node: JSONNode) -> JSONNode? {
    for (candidate, value) in members(node) where isText(candidate, key) { return value }
    return nil
  }

  /// The line and column of a byte, counted from the start: for messages, not for hot paths.
  package func position(ofOffset offset: Int) -> SourcePosition {
    SourcePosition(ofOffset: offset, in: bytes)
  }

  private subscript(node: JSONNode) -> JSONTapeEntry { tape[Int(node.index)] }
}

/// The elements of an array, in order.
package struct JSONElements: Sequence, IteratorProtocol {
  fileprivate let tape: [JSONTapeEntry]
  fileprivate var cursor: Int32
  fileprivate let end: Int32

  package var isEmpty: Bool { cursor == end }
  /// Walks over all of them.
  package var count: Int { reduce(0) { sum, _ in sum + 1 } }

  package mutating func next() -> JSONNode? {
    guard cursor < end else { return nil }
    defer { cursor = tape[Int(cursor)].next }
    return JSONNode(index: cursor)
  }
}

/// The members of an object, in order.
package struct JSONMembers: Sequence, IteratorProtocol {
  fileprivate let tape: [JSONTapeEntry]
  fileprivate var cursor: Int32
  fileprivate let end: Int32

  package var isEmpty: Bool { cursor == end }
  /// Walks over all of them.
  package var count: Int { reduce(0) { sum, _ in sum + 1 } }

  @inline(__always)
  package mutating func next() -> (key: JSONNode, value: JSONNode)? {
    guard cursor < end else { return nil }
    let key = cursor
    cursor = tape[Int(key) + 1].next
    return (JSONNode(index: key), JSONNode(index: key + 1))
  }
}
