internal import CJansson

/// Parses a file that a person writes: any JSON value, duplicate keys refused, no deeper than
/// `JSONDocument.maximumDepth`.
///
/// jansson reads the values. It gives no positions for them, so the strict scanner finds those; it goes first, because
/// it also says more about what is wrong and where.
package func parseLocated(_ bytes: [UInt8]) throws(LocatedSyntaxError) -> LocatedJSON {
  let document: JSONDocument
  do {
    document = try JSONDocument(parsing: bytes)
  } catch {
    throw LocatedSyntaxError(
      position: SourcePosition(ofOffset: error.offset, in: bytes), message: error.message)
  }
  var failure = json_error_t()
  let flags = Int(JSON_REJECT_DUPLICATES) | Int(JSON_DECODE_ANY)
  // The buffer is only read, and during the call.
  let parsed = bytes.withUnsafeBytes { json_loadb($0.baseAddress, $0.count, flags, &failure) }
  guard let json = parsed else {
    throw LocatedSyntaxError(
      position: SourcePosition(ofOffset: Int(failure.position), in: bytes), message: jansson(failure))
  }
  defer { gh_json_decref(json) }
  var locator = Locator(document: document)
  guard let located = locator.locate(json, document.root) else {
    // Two readers that understand one text differently: whichever is wrong, the file is not safe to use.
    throw LocatedSyntaxError(position: SourcePosition(line: 1, column: 1), message: "ambiguous JSON text")
  }
  return located
}

/// Walks jansson's tree and the document's nodes side by side, in the order of the text.
private struct Locator {
  let document: JSONDocument
  private var offset = 0
  private var position = SourcePosition(line: 1, column: 1)

  init(document: JSONDocument) { self.document = document }

  /// `nil` when the two do not have the same shape.
  mutating func locate(_ json: UnsafeMutablePointer<json_t>, _ node: JSONNode) -> LocatedJSON? {
    let place = advance(to: node)
    guard let value = value(json, node) else { return nil }
    return LocatedJSON(value: value, position: place)
  }

  private mutating func value(_ json: UnsafeMutablePointer<json_t>, _ node: JSONNode) -> LocatedJSON.Value? {
    switch (gh_json_typeof(json), document.kind(node)) {
    case (JSON_NULL, .null): return .null
    case (JSON_TRUE, .boolean): return .boolean(true)
    case (JSON_FALSE, .boolean): return .boolean(false)
    case (JSON_INTEGER, .integer): return .integer(Int64(json_integer_value(json)))
    case (JSON_REAL, .real): return .real(json_real_value(json))
    case (JSON_STRING, .string): return .string(string(json))
    case (JSON_ARRAY, .array):
      var elements: [LocatedJSON] = []
      for element in document.elements(node) {
        guard let item = json_array_get(json, elements.count), let located = locate(item, element)
        else { return nil }
        elements.append(located)
      }
      return elements.count == json_array_size(json) ? .array(elements) : nil
    case (JSON_OBJECT, .object):
      var members: [LocatedJSON.Member] = []
      for (keyNode, valueNode) in document.members(node) {
        let keyPosition = advance(to: keyNode)
        guard let key = document.utf8(keyNode), let item = member(json, key),
          let located = locate(item, valueNode)
        else { return nil }
        members.append(
          .init(key: String(decoding: key, as: UTF8.self), keyPosition: keyPosition, value: located))
      }
      return members.count == json_object_size(json) ? .object(members) : nil
    default: return nil
    }
  }

  /// jansson owns what it returns, for as long as the tree lives.
  private func member(
    _ json: UnsafeMutablePointer<json_t>, _ key: ArraySlice<UInt8>
  ) -> UnsafeMutablePointer<json_t>? {
    key.withUnsafeBytes { key in
      // An empty slice may have no address, but jansson wants one.
      guard let start = key.baseAddress else { return json_object_getn(json, "", 0) }
      return json_object_getn(json, start.assumingMemoryBound(to: CChar.self), key.count)
    }
  }

  private func string(_ json: UnsafeMutablePointer<json_t>) -> String {
    let bytes = UnsafeRawBufferPointer(start: json_string_value(json), count: json_string_length(json))
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func advance(to node: JSONNode) -> SourcePosition {
    let start = document.source(node).lowerBound
    position.advance(over: document.bytes[offset..<start])
    offset = start
    return position
  }
}

private func jansson(_ failure: json_error_t) -> String {
  withUnsafeBytes(of: failure.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
