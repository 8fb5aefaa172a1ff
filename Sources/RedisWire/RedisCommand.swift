package import Primitives

/// Writes commands as a server reads them: an array of bulk strings, so that no byte of an argument means anything.
extension ByteBuffer {
  /// `begin(redisCommand: 2)`, then two `append(argument:)`.
  package mutating func begin(redisCommand count: Int) {
    append(UInt8(ascii: "*"))
    append(decimal: count)
    append("\r\n")
  }

  package mutating func append(argument bytes: Span<UInt8>) {
    appendLength(bytes.count)
    append(bytes)
    append("\r\n")
  }

  package mutating func append(argument bytes: [UInt8]) { append(argument: bytes.span) }

  package mutating func append(argument literal: StaticString) {
    appendLength(literal.utf8CodeUnitCount)
    append(literal)
    append("\r\n")
  }

  package mutating func append(argument number: Int) {
    appendLength(Self.places(of: number))
    append(decimal: number)
    append("\r\n")
  }

  /// A command whose arguments are at hand.
  package mutating func append(redisCommand arguments: [[UInt8]]) {
    begin(redisCommand: arguments.count)
    for argument in arguments { append(argument: argument) }
  }

  private mutating func appendLength(_ count: Int) {
    append(UInt8(ascii: "$"))
    append(decimal: count)
    append("\r\n")
  }

  private static func places(of number: Int) -> Int {
    var (rest, places) = (number.magnitude, number < 0 ? 2 : 1)
    while rest >= 10 {
      rest /= 10
      places += 1
    }
    return places
  }
}

/// Arguments of a command in the form in which they are sent, made once for the many commands that have them.
package struct RedisArguments: Sendable, Hashable {
  package let count: Int
  fileprivate let bytes: [UInt8]

  package init(_ arguments: [[UInt8]]) {
    var out = ByteBuffer()
    for argument in arguments { out.append(argument: argument) }
    count = arguments.count
    bytes = out.array
  }

  package static let none = RedisArguments([])
}

extension ByteBuffer {
  package mutating func append(_ arguments: borrowing RedisArguments) { append(arguments.bytes) }
}
