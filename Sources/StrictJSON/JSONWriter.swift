package import Primitives

/// Writes JSON in the order it is told, compact unless `pretty`: then a member or element a line, indented by two
/// spaces, as jq does.
///
/// The caller keeps the grammar: a key before each member's value, every `begin…` ended.
package struct JSONWriter: ~Copyable {
  private enum Place {
    /// Nothing in this container yet.
    case start
    case afterKey, afterValue
  }

  package private(set) var bytes: [UInt8]
  private let isPretty: Bool
  private var place = Place.start
  private var depth = 0

  /// - Parameter bytes: what to append to.
  package init(into bytes: consuming [UInt8] = [], pretty: Bool = false) {
    self.bytes = bytes
    isPretty = pretty
  }

  package mutating func beginObject() { begin(UInt8(ascii: "{")) }
  package mutating func endObject() { end(UInt8(ascii: "}")) }
  package mutating func beginArray() { begin(UInt8(ascii: "[")) }
  package mutating func endArray() { end(UInt8(ascii: "]")) }

  /// A member's key that needs no escaping.
  package mutating func key(_ key: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(key)
    bytes.append(UInt8(ascii: "\""))
    endKey()
  }

  package mutating func key(text: Text) {
    separate()
    appendQuoted(text.utf8)
    endKey()
  }

  package mutating func string(_ value: Text) {
    separate()
    appendQuoted(value.utf8)
    place = .afterValue
  }

  package mutating func string(_ value: String) {
    separate()
    appendQuoted(Array(value.utf8))
    place = .afterValue
  }

  package mutating func integer(_ value: Int) {
    separate()
    bytes.append(decimal: value)
    place = .afterValue
  }

  /// The shortest digits that read back as `value`; `null` when it is not finite, which JSON cannot say.
  package mutating func real(_ value: Double) {
    separate()
    bytes.append(string: value.isFinite ? value.description : "null")
    place = .afterValue
  }

  package mutating func boolean(_ value: Bool) {
    separate()
    if value { bytes.append("true") } else { bytes.append("false") }
    place = .afterValue
  }

  package mutating func null() {
    separate()
    bytes.append("null")
    place = .afterValue
  }

  /// A value that is JSON already.
  package mutating func raw(_ json: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
    place = .afterValue
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    depth += 1
    place = .start
  }

  private mutating func end(_ bracket: UInt8) {
    depth -= 1
    if isPretty, place == .afterValue { breakLine() }
    bytes.append(bracket)
    place = .afterValue
  }

  private mutating func endKey() {
    bytes.append(UInt8(ascii: ":"))
    if isPretty { bytes.append(UInt8(ascii: " ")) }
    place = .afterKey
  }

  /// What stands between the last token and the next key or value.
  @inline(__always)
  private mutating func separate() {
    if place == .afterKey { return }
    if place == .afterValue { bytes.append(UInt8(ascii: ",")) }
    if isPretty, depth > 0 { breakLine() }
  }

  private mutating func breakLine() {
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  /// Escapes what RFC 8259 section 7 demands and nothing else; all other text stays as it is.
  private mutating func appendQuoted(_ value: [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    while start < value.count {
      let end = JSONEscape.next(in: value, from: start)
      bytes.append(contentsOf: value[start..<end])
      guard end < value.count else { break }
      JSONEscape.append(value[end], to: &bytes)
      start = end + 1
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

/// The bytes that cannot stand for themselves in a JSON string.
private enum JSONEscape {
  /// The index of the next one, or the end.
  @inline(__always)
  static func next(in value: [UInt8], from start: Int) -> Int {
    var index = start
    while index < value.count {
      let byte = value[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      index += 1
    }
    return index
  }

  static func append(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    default:
      out.append("u00")
      out.append(Hex.digit(byte >> 4))
      out.append(Hex.digit(byte & 15))
    }
  }
}
