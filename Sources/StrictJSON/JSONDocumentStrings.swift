package import Primitives

// Strings: where they stand, what they mean, whether they are what somebody looks for.
extension JSONDocument {
  /// Where in `bytes` the string stands; `nil` when it is not one or has escapes, so that no bytes there are the
  /// string. For those who look at many strings and want to own none.
  @inlinable @inline(__always)
  package func plainString(_ node: JSONNode) -> Range<Int>? {
    let entry = self[node]
    return entry.kind == .string && !entry.isEscaped ? entry.content : nil
  }

  /// Lends the string as it stands in the text; `nil` when it is not one or has escapes.
  @_lifetime(borrow self)
  @inlinable @inline(__always)
  package func plainSpan(_ node: JSONNode) -> Span<UInt8>? {
    guard let place = plainString(node) else { return nil }
    return bytes.span.extracting(place)
  }

  /// Appends what the string means.
  /// - Returns: where it stands in `buffer`, or `nil` when it is no string.
  @discardableResult
  package func appendUnescaped(_ node: JSONNode, to buffer: inout ByteBuffer) -> ByteSlice? {
    let entry = self[node]
    guard entry.kind == .string else { return nil }
    let start = buffer.count
    if entry.isEscaped {
      buffer.append(upTo: JSONString.room(for: entry.content)) {
        JSONString.unescape(bytes.span, entry.content, into: $0)
      }
    } else {
      buffer.append(bytes.span.extracting(entry.content))
    }
    return ByteSlice(start..<buffer.count)
  }

  /// The unescaped string, or `nil` when it is not one.
  package func text(_ node: JSONNode) -> Text? {
    let entry = self[node]
    guard entry.kind == .string else { return nil }
    guard entry.isEscaped else { return bytes.span.extracting(entry.content).uncheckedText }
    return Text(uncheckedUTF8: JSONString.unescaped(bytes.span, entry.content))
  }

  /// The unescaped string's bytes, or `nil` when it is not one; a view of the text unless it has escapes.
  package func utf8(_ node: JSONNode) -> ArraySlice<UInt8>? {
    let entry = self[node]
    guard entry.kind == .string else { return nil }
    guard entry.isEscaped else { return bytes[entry.content] }
    return JSONString.unescaped(bytes.span, entry.content)[...]
  }

  /// Whether it is a string that means `expected`. Allocates only when it has escapes.
  @inlinable package func isText(_ node: JSONNode, _ expected: Span<UInt8>) -> Bool {
    let entry = self[node]
    guard entry.kind == .string else { return false }
    return entry.isEscaped
      ? isEscapedText(node, expected)
      : entry.end &- entry.start &- 2 == expected.count && isPlainText(node, expected)
  }

  package func isText(_ node: JSONNode, _ expected: Text) -> Bool { isText(node, expected.utf8.span) }

  @usableFromInline func isPlainText(_ node: JSONNode, _ expected: Span<UInt8>) -> Bool {
    bytes.span.extracting(self[node].content).holds(expected)
  }

  @usableFromInline @inline(never)
  func isEscapedText(_ node: JSONNode, _ expected: Span<UInt8>) -> Bool {
    JSONString.unescaped(bytes.span, self[node].content).span.holds(expected)
  }

  package func member(_ key: Text, of node: JSONNode) -> JSONNode? { member(key.utf8.span, of: node) }

  /// The value of the object's member of this name; `nil` also when it is no object.
  package func member(_ key: Span<UInt8>, of node: JSONNode) -> JSONNode? {
    var walk = memberWalk(node)
    while let (candidate, value) = next(&walk) {
      if isText(candidate, key) { return value }
    }
    return nil
  }
}
