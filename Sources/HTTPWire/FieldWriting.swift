package import Primitives

/// A field to be written.
package struct OutgoingField: Sendable {
  package let name: Name
  package let value: [UInt8]

  package enum Name: Sendable {
    case literal(StaticString)
    case bytes([UInt8])
  }

  package init(_ name: StaticString, _ value: [UInt8]) {
    self.name = .literal(name)
    self.value = value
  }

  package init(_ name: StaticString, text: Text) { self.init(name, text.utf8) }
  package init(_ name: StaticString, string: String) { self.init(name, Array(string.utf8)) }

  /// A name that came in from outside, such as one that is passed on.
  package init(bytes name: [UInt8], _ value: [UInt8]) {
    self.name = .bytes(name)
    self.value = value
  }
}

/// Writing heads. Nothing written here can end a line early: a control byte in a value becomes a space
/// (RFC 9110 section 5.5), and a field whose name is not a token is left out.
extension [UInt8] {
  // Concrete types: a generic of another module would run unspecialised, several times as slow.

  package mutating func append(field name: StaticString, _ value: [UInt8]) {
    append(field: name, value[...])
  }

  package mutating func append(field name: StaticString, _ value: ArraySlice<UInt8>) {
    append(name)
    appendFieldValue(value)
  }

  package mutating func append(field name: StaticString, literal value: StaticString) {
    append(name)
    append(": ")
    append(value)
    append("\r\n")
  }

  package mutating func append(field name: StaticString, decimal value: Int) {
    append(name)
    append(": ")
    append(decimal: value)
    append("\r\n")
  }

  package mutating func append(fieldNamed name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    guard !name.isEmpty else { return }
    for byte in name where !ByteSet.token.contains(byte) { return }
    append(contentsOf: name)
    appendFieldValue(value)
  }

  package mutating func append(_ field: OutgoingField) {
    switch field.name {
    case .literal(let name): append(field: name, field.value)
    case .bytes(let name): append(fieldNamed: name[...], field.value[...])
    }
  }

  private mutating func appendFieldValue(_ value: ArraySlice<UInt8>) {
    append(": ")
    let start = count
    append(contentsOf: value)
    var index = span.bytes.firstControl(from: start, to: count)
    while index < count {
      if self[index].isForbiddenControl { self[index] = .space }
      index = span.bytes.firstControl(from: index + 1, to: count)
    }
    append("\r\n")
  }
}
