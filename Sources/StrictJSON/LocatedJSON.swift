internal import Primitives

/// A JSON value from a file that a person writes, with the place where it stands.
package struct LocatedJSON: Sendable {
  package enum Value: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case real(Double)
    case string(String)
    case array([LocatedJSON])
    case object([Member])
  }

  package struct Member: Sendable {
    package let key: String
    package let keyPosition: SourcePosition
    package let value: LocatedJSON
  }

  package let value: Value
  package let position: SourcePosition
}

package struct LocatedSyntaxError: Error, Hashable {
  package let position: SourcePosition
  /// Lower case, no full stop.
  package let message: String
}

extension LocatedJSON {
  /// The member of that name, compared by its bytes; `nil` also when this is no object.
  package subscript(key: String) -> LocatedJSON? {
    object?.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  package var object: [Member]? {
    if case .object(let members) = value { members } else { nil }
  }

  package var array: [LocatedJSON]? {
    if case .array(let elements) = value { elements } else { nil }
  }

  package var string: String? {
    if case .string(let string) = value { string } else { nil }
  }

  package var integer: Int64? {
    if case .integer(let integer) = value { integer } else { nil }
  }

  /// A number of either kind.
  package var real: Double? {
    switch value {
    case .integer(let integer): Double(integer)
    case .real(let real): real
    default: nil
    }
  }

  package var boolean: Bool? {
    if case .boolean(let boolean) = value { boolean } else { nil }
  }

  package var isNull: Bool {
    if case .null = value { true } else { false }
  }

  /// Writes the value as JSON, members in the file's order.
  package func write(to writer: inout JSONWriter) {
    switch value {
    case .null: writer.null()
    case .boolean(let boolean): writer.boolean(boolean)
    case .integer(let integer): writer.integer(Int(integer))
    case .real(let real): writer.real(real)
    case .string(let string): writer.string(string)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(text: Text(member.key))
        member.value.write(to: &writer)
      }
      writer.endObject()
    }
  }
}
