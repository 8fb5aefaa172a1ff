internal import Primitives
package import StrictJSON

/// A JSON value that is about to be written: a schema, a file that a command edits.
package indirect enum JSONLiteral: Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case real(Double)
  case string(String)
  case array([JSONLiteral])
  case object([Member])

  package struct Member: Sendable {
    package var key: String
    package var value: JSONLiteral

    package init(_ key: String, _ value: JSONLiteral) {
      self.key = key
      self.value = value
    }
  }
}

extension JSONLiteral {
  /// The value of a file, places forgotten.
  package init(_ located: LocatedJSON) {
    switch located.value {
    case .null: self = .null
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .real(let value): self = .real(value)
    case .string(let value): self = .string(value)
    case .array(let elements): self = .array(elements.map { JSONLiteral($0) })
    case .object(let members):
      self = .object(members.map { Member($0.key, JSONLiteral($0.value)) })
    }
  }

  /// The value of a member of an object; setting `nil` takes the member away, setting a new key appends it.
  package subscript(_ key: String) -> JSONLiteral? {
    get {
      guard case .object(let members) = self else { return nil }
      return members.first { $0.key == key }?.value
    }
    set {
      guard case .object(var members) = self else { return }
      let index = members.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(key, value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  /// Indented, with a line feed at the end, as a file should have.
  package var prettyBytes: [UInt8] {
    var writer = JSONWriter(pretty: true)
    write(into: &writer)
    var bytes = writer.bytes
    if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
    return bytes
  }

  package func write(into writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .boolean(let value): writer.boolean(value)
    case .integer(let value): writer.integer(Int(value))
    case .real(let value): writer.real(value)
    case .string(let value): writer.string(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(into: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(text: Text(member.key))
        member.value.write(into: &writer)
      }
      writer.endObject()
    }
  }
}

extension JSONLiteral: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
  package init(arrayLiteral elements: JSONLiteral...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONLiteral)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
