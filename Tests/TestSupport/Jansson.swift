internal import CJansson
internal import Primitives
package import StrictJSON

/// What jansson, the reference, makes of a text.
package final class JanssonTree {
  private let root: UnsafeMutablePointer<json_t>

  /// `nil` when jansson refuses it.
  package init?(_ bytes: [UInt8]) {
    let flags = Int(JSON_REJECT_DUPLICATES) | Int(JSON_DECODE_ANY)
    let parsed = bytes.withUnsafeBytes { json_loadb($0.baseAddress, $0.count, flags, nil) }
    guard let parsed else { return nil }
    root = parsed
  }

  deinit { gh_json_decref(root) }

  /// The first place where `document` holds something else, or `nil`.
  package func difference(from document: JSONDocument) -> String? {
    Self.difference(root, document, document.root, at: "$")
  }

  private static func difference(
    _ json: UnsafeMutablePointer<json_t>, _ document: JSONDocument, _ node: JSONNode, at path: String
  ) -> String? {
    switch (gh_json_typeof(json), document.kind(node)) {
    case (JSON_NULL, .null): return nil
    case (JSON_TRUE, .boolean): return document.boolean(node) == true ? nil : "\(path): not true"
    case (JSON_FALSE, .boolean): return document.boolean(node) == false ? nil : "\(path): not false"
    case (JSON_INTEGER, .integer):
      return document.integer(node) == Int(json_integer_value(json)) ? nil : "\(path): another integer"
    case (JSON_REAL, .real):
      return document.real(node) == json_real_value(json) ? nil : "\(path): another real"
    case (JSON_STRING, .string):
      let expected = UnsafeRawBufferPointer(start: json_string_value(json), count: json_string_length(json))
      return document.text(node)?.utf8 == Array(expected) ? nil : "\(path): another string"
    case (JSON_ARRAY, .array):
      let elements = Array(document.elements(node))
      guard elements.count == json_array_size(json) else { return "\(path): another count" }
      for (index, element) in elements.enumerated() {
        guard let item = json_array_get(json, index) else { return "\(path): no element \(index)" }
        if let found = difference(item, document, element, at: "\(path)[\(index)]") { return found }
      }
      return nil
    case (JSON_OBJECT, .object):
      guard document.members(node).count == json_object_size(json) else { return "\(path): another count" }
      var iterator = json_object_iter(json)
      for (key, value) in document.members(node) {
        guard let name = json_object_iter_key(iterator), let item = json_object_iter_value(iterator) else {
          return "\(path): a member too many"
        }
        let expected = UnsafeRawBufferPointer(start: name, count: json_object_iter_key_len(iterator))
        guard document.text(key)?.utf8 == Array(expected) else { return "\(path): another key" }
        if let found = difference(item, document, value, at: "\(path).…") { return found }
        iterator = json_object_iter_next(json, iterator)
      }
      return nil
    default: return "\(path): another kind"
    }
  }
}

/// Where the two readers differ on purpose.
package enum DeliberateDifference: CaseIterable {
  /// jansson goes 2048 levels deep. Ours stops at 32, which no request needs.
  case depth
  /// jansson's stream skips a NUL byte that it has looked at and put back, after a number or a literal or at the
  /// end (`[1<NUL>]` is `[1]` to it). RFC 8259 has no such whitespace.
  case strayNUL

  package init?(_ bytes: [UInt8], ours: JSONSyntaxError?) {
    guard let ours else { return nil }
    if ours.message.hasPrefix("nested deeper") {
      self = .depth
    } else if ours.offset < bytes.count, bytes[ours.offset] == 0 {
      self = .strayNUL
    } else {
      return nil
    }
  }
}
