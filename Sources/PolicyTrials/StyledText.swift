/// A line for people, parts of which are marked. The marks stand beside the text and not in it, so that no text can
/// bring marks of its own; whoever prints the line chooses what they look like.
package struct StyledText: ExpressibleByStringInterpolation, Sendable, Hashable {
  package enum Mark: Sendable {
    case plain, good, bad, doubtful, strong, faint
  }

  package struct Piece: Sendable, Hashable {
    package let text: String
    package let mark: Mark
  }

  package private(set) var pieces: [Piece]

  package init(stringLiteral text: String) { pieces = [Piece(text: text, mark: .plain)] }

  package init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

  /// Without the marks.
  package var text: String { pieces.map(\.text).joined() }

  /// `"\(good: "passed") in \(file)"`
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) { append(literal, .plain) }

    package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      append(value.description, .plain)
    }

    package mutating func appendInterpolation(_ line: StyledText) { pieces += line.pieces }
    package mutating func appendInterpolation(good text: String) { append(text, .good) }
    package mutating func appendInterpolation(bad text: String) { append(text, .bad) }
    package mutating func appendInterpolation(doubtful text: String) { append(text, .doubtful) }
    package mutating func appendInterpolation(strong text: String) { append(text, .strong) }
    package mutating func appendInterpolation(faint text: String) { append(text, .faint) }

    private mutating func append(_ text: String, _ mark: Mark) {
      if !text.isEmpty { pieces.append(Piece(text: text, mark: mark)) }
    }
  }
}
