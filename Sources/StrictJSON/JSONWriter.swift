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
    appendQuoted(plain: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
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
  package mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
    place = .afterValue
  }

  package mutating func raw(_ json: ArraySlice<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
    place = .afterValue
  }

  package mutating func raw(_ json: some Sequence<UInt8>) { raw(Array(json)) }

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
    var end = JSONBytes.nextSpecial(in: value.span, from: 0, stopAtNonASCII: false)
    if end == value.count {
      value.withUnsafeBufferPointer { appendQuoted(plain: $0) }
      return
    }
    var start = 0
    bytes.append(UInt8(ascii: "\""))
    while end < value.count {
      bytes.append(contentsOf: value[start..<end])
      appendEscape(value[end])
      start = end + 1
      end = JSONBytes.nextSpecial(in: value.span, from: start, stopAtNonASCII: false)
    }
    bytes.append(contentsOf: value[start...])
    bytes.append(UInt8(ascii: "\""))
  }

  /// In one go, because most of what is written is keys and values without escapes. `plain` is read during the call.
  @inline(__always)
  private mutating func appendQuoted(plain: UnsafeBufferPointer<UInt8>) {
    bytes.append(addingCapacity: plain.count + 2) { out in
      out.append(UInt8(ascii: "\""))
      // There is room for all of `plain`, which lies elsewhere.
      out.withUnsafeMutableBufferPointer { buffer, count in
        _ = buffer[count...].initialize(fromContentsOf: plain)
        count += plain.count
      }
      out.append(UInt8(ascii: "\""))
    }
  }

  private mutating func appendEscape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      bytes.append("u00")
      bytes.append(Hex.digit(byte >> 4))
      bytes.append(Hex.digit(byte & 15))
    }
  }
}
