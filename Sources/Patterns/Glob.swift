package import Primitives

/// A glob: `*` any run, `?` one Unicode scalar, all else literal. Whole-value match.
package struct Glob: Sendable, Hashable {
  package enum Part: Sendable, Hashable {
    /// Stands for itself, also `*` and `?`.
    case literal(Text)
    case glob(Text)
  }

  /// As it was written; of several parts, one after the other.
  package let source: Text
  /// One for each byte of the source.
  private let tokens: [Token]
  /// How many of them stand for themselves before the first wildcard.
  private let plainCount: Int

  package init(_ source: Text) { self.init(parts: [.glob(source)]) }

  /// A glob of which some parts are taken literally, such as the values that templates put in.
  package init(parts: [Part]) {
    var source: [UInt8] = []
    var tokens: [Token] = []
    for part in parts {
      switch part {
      case .literal(let text):
        source += text.utf8
        tokens += text.utf8.map(Token.init(byte:))
      case .glob(let text):
        source += text.utf8
        tokens += text.utf8.map(Token.init(globByte:))
      }
    }
    self.source = Text(uncheckedUTF8: source)
    self.tokens = tokens
    plainCount = tokens.firstIndex { $0.isWildcard } ?? tokens.count
  }

  /// Takes time in proportion to the text's length times the glob's at worst.
  package func matches(_ text: Text) -> Bool { matches(text.utf8.span) }

  /// The same for bytes that are well-formed UTF-8.
  package func matches(_ bytes: Span<UInt8>) -> Bool {
    // Up to its first wildcard a glob stands for itself, which most globs do to their end or to a last `*`.
    guard bytes.count >= plainCount,
      bytes.extracting(0..<plainCount).holds(source.utf8.span.extracting(0..<plainCount))
    else { return false }
    let tokens = tokens.span
    guard plainCount < tokens.count else { return bytes.count == plainCount }
    var token = plainCount
    var index = plainCount
    // Only the last run need ever be stretched: what stands before it has matched as early as it can.
    var run: (token: Int, index: Int)?
    while index < bytes.count {
      if token < tokens.count, tokens[token] == .anyRun {
        run = (token, index)
        token += 1
        if token == tokens.count { return true }
      } else if token < tokens.count, let length = tokens[token].length(in: bytes, at: index) {
        token += 1
        index += length
      } else if let last = run {
        run = (last.token, last.index + 1)
        (token, index) = (last.token + 1, last.index + 1)
      } else {
        return false
      }
    }
    while token < tokens.count {
      guard tokens[token] == .anyRun else { return false }
      token += 1
    }
    return true
  }

  /// Whether some text matches both. Exact: it looks at every pair of places in the two.
  package func overlaps(_ other: Glob) -> Bool {
    let (rows, columns) = (tokens.count, other.tokens.count)
    let width = columns + 1
    // At row × width + column: whether some text leads to that place in each of the two.
    var isReachable = Array(repeating: false, count: (rows + 1) * width)
    isReachable[0] = true
    for row in 0...rows {
      for column in 0...columns where isReachable[row * width + column] {
        let left = row < rows ? tokens[row] : nil
        let right = column < columns ? other.tokens[column] : nil
        if left == .anyRun {
          isReachable[(row + 1) * width + column] = true
          if right != nil { isReachable[row * width + column + 1] = true }
        }
        if right == .anyRun {
          isReachable[row * width + column + 1] = true
          if left != nil { isReachable[(row + 1) * width + column] = true }
        }
        if let (down, across) = Self.step(tokens[row...], other.tokens[column...]) {
          isReachable[(row + down) * width + column + across] = true
        }
      }
    }
    return isReachable[rows * width + columns]
  }

  /// How many tokens of each take up the next byte or scalar in common; `nil` when there is none, or when a run
  /// comes first.
  private static func step(
    _ left: ArraySlice<Token>, _ right: ArraySlice<Token>
  ) -> (down: Int, across: Int)? {
    guard let first = left.first, let second = right.first, first != .anyRun, second != .anyRun else {
      return nil
    }
    if first == second { return (1, 1) }
    if first == .anyScalar { return scalarLength(right).map { (1, $0) } }
    if second == .anyScalar { return scalarLength(left).map { ($0, 1) } }
    return nil
  }

  /// The number of literal bytes that the scalar which begins here has; `nil` when none begins here.
  private static func scalarLength(_ tokens: ArraySlice<Token>) -> Int? {
    guard let first = tokens.first, !first.isContinuation else { return nil }
    return 1 + tokens.dropFirst().prefix { $0.isContinuation }.count
  }
}

extension Glob {
  /// A literal byte, or a wildcard.
  private struct Token: Hashable {
    private let value: UInt16
    private init(value: UInt16) { self.value = value }

    static let anyScalar = Token(value: 256)
    static let anyRun = Token(value: 257)

    init(byte: UInt8) { value = UInt16(byte) }

    init(globByte: UInt8) {
      switch globByte {
      case UInt8(ascii: "*"): self = .anyRun
      case UInt8(ascii: "?"): self = .anyScalar
      default: self.init(byte: globByte)
      }
    }

    @inline(__always)
    func isByte(_ byte: UInt8) -> Bool { value == UInt16(byte) }

    var isWildcard: Bool { value >= 256 }

    /// A byte inside a scalar's UTF-8 form.
    var isContinuation: Bool { value < 256 && value & 0xC0 == 0x80 }

    /// How many bytes at `index` it takes up, not being a run; `nil` when it does not match there.
    @inline(__always)
    func length(in bytes: borrowing Span<UInt8>, at index: Int) -> Int? {
      if value < 256 { return isByte(bytes[index]) ? 1 : nil }
      // A run before may have stopped inside a scalar.
      guard bytes[index] & 0xC0 != 0x80 else { return nil }
      var end = index + 1
      while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
      return end - index
    }
  }
}
