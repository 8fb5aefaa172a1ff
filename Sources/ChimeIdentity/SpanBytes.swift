internal import Primitives

/// Questions about UTF-8 bytes that matchers and readers share. Each byte of each request passes here several times, so
/// that where the loop itself keeps an index within bounds it is not checked once more, and loops over whole values do
/// not stop early, which lets the compiler look at many bytes at a time.
extension Span<UInt8> {
  @inline(__always)
  func allSatisfy(_ predicate: (UInt8) -> Bool) -> Bool {
    var isSatisfied = true
    for index in 0..<count { isSatisfied = predicate(self[unchecked: index]) && isSatisfied }
    return isSatisfied
  }

  @inline(__always)
  func starts(with literal: StaticString, at start: Int) -> Bool {
    let expected = literal.span
    guard count &- start >= expected.count else { return false }
    return extracting(unchecked: start..<start &+ expected.count).holds(expected)
  }

  @inline(__always)
  func equals(_ literal: StaticString) -> Bool { holds(literal.span) }
}

extension StaticString {
  /// Its UTF-8, which lives as long as the process.
  @inline(__always)
  package var span: Span<UInt8> {
    @_lifetime(immortal) get {
      _overrideLifetime(
        Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount), copying: Span<UInt8>())
    }
  }
}

/// A place in a span that moves over what it is told to expect.
struct SpanReader {
  private(set) var index = 0

  mutating func skip(_ literal: StaticString, in value: Span<UInt8>) -> Bool {
    guard value.starts(with: literal, at: index) else { return false }
    index &+= literal.utf8CodeUnitCount
    return true
  }

  /// Moves over the bytes of a class; where they stand.
  @inline(__always)
  mutating func run(_ wanted: ByteClass, in value: Span<UInt8>) -> Range<Int> {
    let start = index
    index = ByteClasses.shared.end(of: wanted, in: value, from: start)
    return Range(uncheckedBounds: (start, index))
  }

  /// Moves over at most `limit` bytes that satisfy `predicate`; where they stand.
  @inline(__always)
  mutating func run(
    upTo limit: Int = .max, in value: Span<UInt8>, of predicate: (UInt8) -> Bool
  ) -> Range<Int> {
    let start = index
    while index < value.count, index &- start < limit, predicate(value[unchecked: index]) { index &+= 1 }
    return start..<index
  }

  @inline(__always)
  mutating func skip(
    exactly count: Int, in value: Span<UInt8>, of predicate: (UInt8) -> Bool
  ) -> Bool {
    run(upTo: count, in: value, of: predicate).count == count
  }
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
@inline(__always) func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
@inline(__always) func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
@inline(__always) func isLetter(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }
@inline(__always) func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
@inline(__always) func isLowerAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) }
@inline(__always) func isUpperAlphanumeric(_ byte: UInt8) -> Bool { isUpper(byte) || isDigit(byte) }
