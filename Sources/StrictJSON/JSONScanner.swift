/// What the scanner notes of one value (or of one member's key): where it stands and where the next one is.
struct JSONTapeEntry: Sendable {
  /// The first byte, and the byte after the last; a string's quotes are within.
  let start: Int32
  var end: Int32
  /// The index after this value and all that is inside it. While a container is open: its parent, or -1.
  var next: Int32
  let kind: JSONKind
  /// A string that must be unescaped before it is used.
  var isEscaped = false

  var source: Range<Int> { Int(start)..<Int(end) }
  /// What stands between a string's quotes.
  var content: Range<Int> { Int(start) + 1..<Int(end) - 1 }
}

/// The single pass over a JSON text. Containers that are open link to their parents through the tape itself, so
/// that nesting costs neither recursion nor a stack.
struct JSONScanner {
  private(set) var tape: [JSONTapeEntry] = []
  private var position = 0
  private var open: Int32 = -1
  private var depth = 0

  /// - Parameter count: the size of the text in bytes.
  init(expecting count: Int) {
    // A request of the service model has a value or key for every 12 bytes or so.
    tape.reserveCapacity(min(count / 10 + 8, 4096))
  }

  mutating func scan(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
    guard bytes.count < Int32.max else { throw JSONSyntaxError(offset: 0, message: "too large") }
    skipWhitespace(bytes)
    var isComplete = try beginValue(bytes)
    while open >= 0 || !isComplete {
      isComplete = isComplete ? try endOrContinue(bytes) : try beginValue(bytes)
    }
    skipWhitespace(bytes)
    if position < bytes.count { throw unexpected(bytes, wanted: "the end after the value") }
  }

  /// Reads a scalar or an empty container, or goes into a container up to its first value.
  /// - Returns: whether a whole value has been read.
  private mutating func beginValue(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> Bool {
    switch byte(bytes) {
    case UInt8(ascii: "\""):
      try string(bytes)
    case UInt8(ascii: "{"):
      try push(.object)
      skipWhitespace(bytes)
      if byte(bytes) != UInt8(ascii: "}") {
        try key(bytes)
        return false
      }
      pop()
    case UInt8(ascii: "["):
      try push(.array)
      skipWhitespace(bytes)
      if byte(bytes) != UInt8(ascii: "]") { return false }
      pop()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let start = position
      let isWhole = try JSONNumber.skip(bytes, &position)
      leaf(isWhole ? .integer : .real, from: start)
    case UInt8(ascii: "t"): try word(bytes, "true", .boolean)
    case UInt8(ascii: "f"): try word(bytes, "false", .boolean)
    case UInt8(ascii: "n"): try word(bytes, "null", .null)
    default: throw unexpected(bytes, wanted: "a value")
    }
    return true
  }

  /// After a value inside a container: leaves the container, or goes on to its next value.
  /// - Returns: whether a whole value has been read, namely the container.
  private mutating func endOrContinue(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> Bool {
    skipWhitespace(bytes)
    let isObject = tape[Int(open)].kind == .object
    switch byte(bytes) {
    case UInt8(ascii: ","):
      position += 1
      skipWhitespace(bytes)
      if isObject { try key(bytes) }
      return false
    case UInt8(ascii: "}") where isObject:
      try JSONDuplicates.refuse(in: Int(open), of: tape, bytes)
      pop()
    case UInt8(ascii: "]") where !isObject:
      pop()
    default:
      throw unexpected(bytes, wanted: isObject ? "`,` or `}`" : "`,` or `]`")
    }
    return true
  }

  /// Reads a key and its colon, up to the value.
  private mutating func key(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
    guard byte(bytes) == UInt8(ascii: "\"") else { throw unexpected(bytes, wanted: "a key in double quotes") }
    try string(bytes)
    skipWhitespace(bytes)
    guard byte(bytes) == UInt8(ascii: ":") else { throw unexpected(bytes, wanted: "`:`") }
    position += 1
    skipWhitespace(bytes)
  }

  private mutating func string(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
    let start = position
    let isEscaped = try JSONString.skip(bytes, &position)
    leaf(.string, from: start)
    tape[tape.count - 1].isEscaped = isEscaped
  }

  private mutating func word(
    _ bytes: Span<UInt8>, _ word: StaticString, _ kind: JSONKind
  ) throws(JSONSyntaxError) {
    let start = position
    for index in 0..<word.utf8CodeUnitCount {
      guard byte(bytes) == word.utf8Start[index] else { throw unexpected(bytes, wanted: "`\(word)`") }
      position += 1
    }
    leaf(kind, from: start)
  }

  private mutating func leaf(_ kind: JSONKind, from start: Int) {
    tape.append(
      JSONTapeEntry(
        start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: position),
        next: Int32(truncatingIfNeeded: tape.count + 1), kind: kind))
  }

  private mutating func push(_ kind: JSONKind) throws(JSONSyntaxError) {
    guard depth < JSONDocument.maximumDepth else {
      throw JSONSyntaxError(
        offset: position, message: "nested deeper than \(JSONDocument.maximumDepth) levels")
    }
    depth += 1
    tape.append(
      JSONTapeEntry(
        start: Int32(truncatingIfNeeded: position), end: 0, next: open, kind: kind))
    open = Int32(truncatingIfNeeded: tape.count - 1)
    position += 1
  }

  private mutating func pop() {
    position += 1
    depth -= 1
    let closed = Int(open)
    open = tape[closed].next
    tape[closed].end = Int32(truncatingIfNeeded: position)
    tape[closed].next = Int32(truncatingIfNeeded: tape.count)
  }

  /// The byte at hand, or 0 at the end: no structural byte is 0.
  @inline(__always)
  private func byte(_ bytes: Span<UInt8>) -> UInt8 {
    position < bytes.count ? bytes[position] : 0
  }

  @inline(__always)
  private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
    // Compact texts have none, and everything else that may stand here is greater than a space.
    while position < bytes.count, bytes[position] <= UInt8(ascii: " ") {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
      default: return
      }
    }
  }

  private func unexpected(_ bytes: Span<UInt8>, wanted: String) -> JSONSyntaxError {
    JSONSyntaxError.unexpected(bytes, at: position, wanted: wanted)
  }
}
