/// Why a scan ended early. Small, so that carrying it costs nothing where nothing is wrong; `JSONSyntaxError` has the
/// words for it.
enum JSONFault: UInt8, BitwiseCopyable, Error {
  /// More values than the tape has entries; the same scan with a longer tape gets further.
  case tapeFull
  case noValue, noKey, noColon, noTrue, noFalse, noNull
  /// Neither a comma nor the end of the object, or of the array.
  case objectGoesOn, arrayGoesOn
  case textGoesOn
  case tooDeep
  /// What begins here is no string, or no number.
  case string, number
  /// The key that begins here stood in the same object before.
  case duplicateKey
}

/// The single pass over a JSON text. Containers that are open link to their parents through the tape itself, so
/// that nesting costs neither recursion nor a stack.
///
/// Every request passes through here. What each value needs is inlined into one loop, and what is rare is in static
/// functions that are given values, so that the scanner's own members can stay in registers.
struct JSONScanner: ~Copyable {
  private(set) var tape: JSONTapeWriter
  /// Where it is; after a failure, at the offending byte.
  private(set) var position: Int
  /// The innermost container that is open, and whether it is an object; -1 outside of all.
  private var open: Int32 = -1
  private var isInObject = false
  private var depth = 0

  init(from start: Int, into tape: consuming JSONTapeWriter) {
    position = start
    self.tape = tape
  }

  /// - Parameter bytes: end where the text does.
  @inline(__always)
  mutating func scan(_ bytes: Span<UInt8>) throws(JSONFault) {
    skipWhitespace(bytes)
    repeat {
      // Here a value begins, in an object with its key.
      if isInObject { try key(bytes) }
      if byte(bytes) == UInt8(ascii: "\"") {
        // Most values by far.
        try string(bytes)
      } else {
        let isWhole = try beginOther(bytes)
        guard isWhole else { continue }
      }
      while open >= 0 {
        let hasNext = try goOn(bytes)
        if hasNext { break }
      }
    } while open >= 0
    skipWhitespace(bytes)
    if position < bytes.count { throw .textGoesOn }
  }

  /// Reads a number, a boolean, null or an empty container, or goes into a container up to its first value.
  /// - Returns: whether a whole value has been read.
  @inline(__always)
  private mutating func beginOther(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    switch byte(bytes) {
    case UInt8(ascii: "{"):
      try push(.object)
      skipWhitespace(bytes)
      if byte(bytes) != UInt8(ascii: "}") { return false }
      pop()
    case UInt8(ascii: "["):
      try push(.array)
      skipWhitespace(bytes)
      if byte(bytes) != UInt8(ascii: "]") { return false }
      pop()
    default:
      let scalar = Self.scalar(bytes, at: position)
      guard let kind = scalar.kind else {
        position = scalar.end
        throw scalar.fault
      }
      try append(kind, to: scalar.end)
    }
    return true
  }

  /// After a value inside a container: goes to the container's next value, or leaves it.
  /// - Returns: whether there is a next value.
  @inline(__always)
  private mutating func goOn(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
    skipWhitespace(bytes)
    let found = byte(bytes)
    if found == UInt8(ascii: ",") {
      position &+= 1
      skipWhitespace(bytes)
      return true
    }
    if isInObject {
      guard found == UInt8(ascii: "}") else { throw .objectGoesOn }
      let repeated = JSONDuplicates.repeatedKey(in: Int(open), of: tape.span, bytes)
      if repeated >= 0 {
        position = Int(tape[repeated].start)
        throw .duplicateKey
      }
    } else if found != UInt8(ascii: "]") {
      throw .arrayGoesOn
    }
    pop()
    return false
  }

  /// Reads a key and its colon, up to the value.
  @inline(__always)
  private mutating func key(_ bytes: Span<UInt8>) throws(JSONFault) {
    guard byte(bytes) == UInt8(ascii: "\"") else { throw .noKey }
    try string(bytes)
    skipWhitespace(bytes)
    guard byte(bytes) == UInt8(ascii: ":") else { throw .noColon }
    position &+= 1
    skipWhitespace(bytes)
  }

  @inline(__always)
  private mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) {
    // Most strings are plain and end at the first byte that needs a closer look.
    let end = JSONBytes.nextSpecial(in: bytes, from: position &+ 1, stopAtNonASCII: true)
    if end < bytes.count, bytes[unchecked: end] == UInt8(ascii: "\"") {
      try append(.string, to: end &+ 1)
    } else {
      guard let rest = Self.string(bytes, from: position, plainUntil: end) else { throw .string }
      try append(.string, to: rest.end, isEscaped: rest.isEscaped)
    }
  }

  /// Notes a value that stands between here and `end`, and goes there.
  @inline(__always)
  private mutating func append(_ kind: JSONKind, to end: Int, isEscaped: Bool = false) throws(JSONFault) {
    guard !tape.isFull else { throw .tapeFull }
    tape.append(
      JSONTapeEntry(
        start: Int32(truncatingIfNeeded: position), end: Int32(truncatingIfNeeded: end),
        next: Int32(truncatingIfNeeded: tape.count &+ 1), kind: kind, isEscaped: isEscaped))
    position = end
  }

  @inline(__always)
  private mutating func push(_ kind: JSONKind) throws(JSONFault) {
    guard depth < JSONDocument.maximumDepth else { throw .tooDeep }
    guard !tape.isFull else { throw .tapeFull }
    depth &+= 1
    tape.append(
      JSONTapeEntry(
        start: Int32(truncatingIfNeeded: position), end: 0, next: open, kind: kind, isEscaped: false))
    open = Int32(truncatingIfNeeded: tape.count &- 1)
    isInObject = kind == .object
    position &+= 1
  }

  @inline(__always)
  private mutating func pop() {
    position &+= 1
    depth &-= 1
    open = tape.close(
      Int(open), end: Int32(truncatingIfNeeded: position), next: Int32(truncatingIfNeeded: tape.count))
    isInObject = open >= 0 && tape[Int(open)].kind == .object
  }

  /// The byte at hand, or 0 at the end: no structural byte is 0.
  @inline(__always)
  private func byte(_ bytes: Span<UInt8>) -> UInt8 {
    position < bytes.count ? bytes[unchecked: position] : 0
  }

  @inline(__always)
  private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
    // Compact texts have none, and everything else that may stand here is greater than a space.
    while position < bytes.count, bytes[unchecked: position] <= UInt8(ascii: " ") {
      switch bytes[unchecked: position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position &+= 1
      default: return
      }
    }
  }
}

// What is rare.
extension JSONScanner {
  /// A string of which only what stands before `plainEnd` is known to be plain; `nil` when it is none.
  @inline(never)
  private static func string(
    _ bytes: Span<UInt8>, from opening: Int, plainUntil plainEnd: Int
  ) -> (end: Int, isEscaped: Bool)? {
    try? JSONString.end(bytes, from: opening, plainUntil: plainEnd)
  }

  /// A number, a boolean or null.
  /// - Returns: where it ends, or when it is none the offending byte and what is wrong.
  @inline(never)
  private static func scalar(
    _ bytes: Span<UInt8>, at start: Int
  ) -> (end: Int, kind: JSONKind?, fault: JSONFault) {
    guard start < bytes.count else { return (start, nil, .noValue) }
    switch bytes[start] {
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      var end = start
      guard let isWhole = try? JSONNumber.skip(bytes, &end) else { return (start, nil, .number) }
      return (end, isWhole ? .integer : .real, .number)
    case UInt8(ascii: "t"): return word("true", bytes, at: start, .boolean, .noTrue)
    case UInt8(ascii: "f"): return word("false", bytes, at: start, .boolean, .noFalse)
    case UInt8(ascii: "n"): return word("null", bytes, at: start, .null, .noNull)
    default: return (start, nil, .noValue)
    }
  }

  private static func word(
    _ word: StaticString, _ bytes: Span<UInt8>, at start: Int, _ kind: JSONKind, _ fault: JSONFault
  ) -> (end: Int, kind: JSONKind?, fault: JSONFault) {
    var same = 0
    while same < word.utf8CodeUnitCount, start + same < bytes.count,
      bytes[start + same] == word.utf8Start[same]
    {
      same += 1
    }
    return (start + same, same == word.utf8CodeUnitCount ? kind : nil, fault)
  }
}
