public import Primitives

/// Writing heads. Nothing written here can end a line early: a control byte in a value becomes a space
/// (RFC 9110 section 5.5), and a field whose name is not a token is left out.
extension ByteBuffer {
  @inlinable package mutating func append(field name: StaticString, literal value: StaticString) {
    append(name)
    append(": ")
    append(value)
    append("\r\n")
  }

  package mutating func append(field name: StaticString, _ value: Span<UInt8>) {
    append(name)
    appendFieldValue(value)
  }

  package mutating func append(field name: StaticString, _ value: [UInt8]) { append(field: name, value.span) }

  package mutating func append(field name: StaticString, decimal value: Int) {
    append(name)
    append(": ")
    append(decimal: value)
    append("\r\n")
  }

  /// A field whose name came from outside.
  package mutating func append(fieldNamed name: Span<UInt8>, _ value: Span<UInt8>) {
    guard name.bytes.isToken(0..<name.count) else { return }
    append(name)
    appendFieldValue(value)
  }

  /// A field of a head that was read, passed on. Name and value were checked when it was read.
  package mutating func append(_ line: FieldLine, of head: RequestHead) {
    append(head[line.name], checked: head[line.value])
  }

  /// A field of a head that was read, passed on. Name and value were checked when it was read.
  package mutating func append(_ line: FieldLine, of head: ResponseHead) {
    append(head[line.name], checked: head[line.value])
  }

  private mutating func append(_ name: Span<UInt8>, checked value: Span<UInt8>) {
    append(name)
    append(": ")
    append(value)
    append("\r\n")
  }

  private mutating func appendFieldValue(_ value: Span<UInt8>) {
    append(": ")
    var written = 0
    while true {
      let control = value.bytes.firstControl(from: written, to: value.count)
      append(value.extracting(written..<control))
      guard control < value.count else { break }
      let byte = value[control]
      append(byte.isForbiddenControl ? .space : byte)
      written = control + 1
    }
    append("\r\n")
  }
}
