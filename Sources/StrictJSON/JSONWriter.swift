package import Primitives

/// Writes JSON in the order it is told, compact unless `pretty`: then a member or element a line, indented by two
/// spaces, as jq does.
///
/// The caller keeps the grammar: a key before each member's value, every `begin…` ended.
@usableFromInline package struct JSONWriter: ~Copyable {
  private enum Place {
    /// Nothing in this container yet.
    case start
    case afterKey, afterValue
  }

  private var buffer: ByteBuffer
  private let isPretty: Bool
  private var place = Place.start
  private var depth = 0

  /// - Parameter buffer: what to append to; `finish` gives it back.
  package init(into buffer: consuming ByteBuffer, pretty: Bool = false) {
    self.buffer = buffer
    isPretty = pretty
  }

  package init(pretty: Bool = false) {
    // Most texts written this way are an answer or a line of a few hundred bytes.
    self.init(into: ByteBuffer(capacity: 512), pretty: pretty)
  }

  /// The buffer with what was written at its end.
  package consuming func finish() -> ByteBuffer { buffer }

  /// A copy of what has been written, and of what stood in the buffer before.
  package var bytes: [UInt8] { buffer.array }

  package mutating func beginObject() { begin(UInt8(ascii: "{")) }
  package mutating func endObject() { end(UInt8(ascii: "}")) }
  package mutating func beginArray() { begin(UInt8(ascii: "[")) }
  package mutating func endArray() { end(UInt8(ascii: "]")) }

  /// A member's key that needs no escaping.
  package mutating func key(_ key: StaticString) {
    separate()
    let count = key.utf8CodeUnitCount
    buffer.append(upTo: count &+ 3) { out in
      // There always is an address: three bytes are written at least.
      guard let target = out.baseAddress else { return 0 }
      target[0] = UInt8(ascii: "\"")
      (target + 1).initialize(from: key.utf8Start, count: count)
      target[count &+ 1] = UInt8(ascii: "\"")
      target[count &+ 2] = UInt8(ascii: ":")
      return count &+ 3
    }
    endKey()
  }

  package mutating func key(text: Text) {
    separate()
    buffer.append(quoted: text.utf8.span)
    buffer.append(UInt8(ascii: ":"))
    endKey()
  }

  package mutating func string(_ value: Span<UInt8>) {
    separate()
    buffer.append(quoted: value)
    place = .afterValue
  }

  /// A constant. It is escaped like all others.
  package mutating func string(_ value: StaticString) {
    string(Span(_unsafeStart: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  package mutating func string(_ value: Text) { string(value.utf8.span) }

  package mutating func string(_ value: String) {
    separate()
    var value = value
    // Makes it contiguous UTF-8, which it mostly is.
    value.withUTF8 { buffer.append(quoted: Span(_unsafeElements: $0)) }
    place = .afterValue
  }

  package mutating func integer(_ value: Int) {
    separate()
    buffer.append(decimal: value)
    place = .afterValue
  }

  /// The shortest digits that read back as `value`; `null` when it is not finite, which JSON cannot say.
  package mutating func real(_ value: Double) {
    separate()
    buffer.append(string: value.isFinite ? value.description : "null")
    place = .afterValue
  }

  package mutating func boolean(_ value: Bool) {
    separate()
    if value { buffer.append("true") } else { buffer.append("false") }
    place = .afterValue
  }

  package mutating func null() {
    separate()
    buffer.append("null")
    place = .afterValue
  }

  /// A value that is JSON already.
  package mutating func raw(_ json: Span<UInt8>) {
    separate()
    buffer.append(json)
    place = .afterValue
  }

  package mutating func raw(_ json: [UInt8]) { raw(json.span) }
  package mutating func raw(_ json: ArraySlice<UInt8>) { raw(json.span) }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    buffer.append(bracket)
    depth += 1
    place = .start
  }

  private mutating func end(_ bracket: UInt8) {
    depth -= 1
    if isPretty, place == .afterValue { breakLine() }
    buffer.append(bracket)
    place = .afterValue
  }

  @inline(__always)
  private mutating func endKey() {
    if isPretty { buffer.append(UInt8(ascii: " ")) }
    place = .afterKey
  }

  /// What stands between the last token and the next key or value.
  @inline(__always)
  private mutating func separate() {
    if place == .afterKey { return }
    if place == .afterValue { buffer.append(UInt8(ascii: ",")) }
    if isPretty, depth > 0 { breakLine() }
  }

  private mutating func breakLine() {
    buffer.append(UInt8(ascii: "\n"))
    for _ in 0..<depth { buffer.append("  ") }
  }
}
