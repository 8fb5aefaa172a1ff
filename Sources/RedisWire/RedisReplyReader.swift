internal import Primitives

/// Why what a server sent is no reply.
package enum RedisViolation: Error, Sendable, Hashable {
  /// No reply begins with this byte.
  case unknownType(UInt8)
  /// A line or a value ends with something else than CR LF.
  case lineEnd
  /// A line, a value, an array or the whole reply is longer than any that is asked for.
  case tooLong
  /// Digits were expected.
  case number
  /// Arrays in arrays in arrays.
  case tooDeep
}

extension RedisViolation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownType(let byte): "a reply begins with byte \(byte): expected one of `+-:$*`"
    case .lineEnd: "a line of a reply does not end with CR LF"
    case .tooLong: "a reply is longer than any that was asked for"
    case .number: "a reply has something else where a number belongs"
    case .tooDeep: "a reply is an array in too many arrays"
    }
  }
}

/// Makes replies of the bytes that a server sends, however they are cut. Once it has thrown, the connection is of no
/// use: where the next reply begins is not known.
package struct RedisReplyReader: ~Copyable {
  /// What has come and is no whole reply yet, from `start` on.
  private var bytes = ByteBuffer()
  private var start = 0

  private static let longestLine = 8 << 10
  /// Scripts answer with numbers, Sentinel and Cluster with addresses.
  private static let longestBulk = 64 << 10
  private static let mostElements = 4096
  private static let deepest = 4
  /// Of one reply, whatever it consists of.
  private static let longestReply = 256 << 10

  package init() {}

  package mutating func add(_ more: RawSpan) {
    if start > 0 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes.append(more)
  }

  /// The next whole reply; `nil` when more must come first.
  package mutating func next() throws(RedisViolation) -> RedisReply? {
    var place = start
    guard let reply = try reply(at: &place, depth: 0) else {
      guard bytes.count - start <= Self.longestReply else { throw .tooLong }
      return nil
    }
    guard place - start <= Self.longestReply else { throw .tooLong }
    start = place
    return reply
  }

  private func reply(at place: inout Int, depth: Int) throws(RedisViolation) -> RedisReply? {
    guard place < bytes.count else { return nil }
    let type = bytes[place]
    guard Self.types.contains(type) else { throw .unknownType(type) }
    guard let line = try line(at: place + 1) else { return nil }
    place = line.upperBound + 2
    switch type {
    case UInt8(ascii: "+"): return .status(copy(line))
    case UInt8(ascii: "-"): return .error(RedisError(copy(line)))
    case UInt8(ascii: ":"): return .integer(try number(line))
    case UInt8(ascii: "$"):
      guard let count = try length(line, upTo: Self.longestBulk) else { return .null }
      return try bulk(of: count, at: &place)
    default:
      guard let count = try length(line, upTo: Self.mostElements) else { return .null }
      return try array(of: count, at: &place, depth: depth)
    }
  }

  private static let types: [UInt8] = [0x2B, 0x2D, 0x3A, 0x24, 0x2A]

  private func bulk(of count: Int, at place: inout Int) throws(RedisViolation) -> RedisReply? {
    let end = place + count
    // What is there of the end is judged as it comes.
    if end < bytes.count, bytes[end] != 0x0D { throw .lineEnd }
    guard end + 1 < bytes.count else { return nil }
    guard bytes[end + 1] == 0x0A else { throw .lineEnd }
    defer { place = end + 2 }
    return .bulk(copy(place..<end))
  }

  private func array(of count: Int, at place: inout Int, depth: Int) throws(RedisViolation) -> RedisReply? {
    guard depth < Self.deepest else { throw .tooDeep }
    if let integers = try integers(count, at: &place) { return .integers(integers) }
    var elements: [RedisReply] = []
    elements.reserveCapacity(min(count, 64))
    for _ in 0..<count {
      guard let element = try reply(at: &place, depth: depth + 1) else { return nil }
      elements.append(element)
    }
    return .array(elements)
  }

  /// All elements of an array, if they are here and integers: what scripts answer with, without a reply for each.
  private func integers(_ count: Int, at place: inout Int) throws(RedisViolation) -> [Int64]? {
    guard count > 0, place < bytes.count, bytes[place] == UInt8(ascii: ":") else { return nil }
    var numbers: [Int64] = []
    numbers.reserveCapacity(min(count, 64))
    var end = place
    for _ in 0..<count {
      guard end < bytes.count, bytes[end] == UInt8(ascii: ":"), let line = try line(at: end + 1) else {
        return nil
      }
      numbers.append(try number(line))
      end = line.upperBound + 2
    }
    place = end
    return numbers
  }

  /// The line that begins at `first`, without its end; `nil` when that has not come.
  private func line(at first: Int) throws(RedisViolation) -> Range<Int>? {
    var place = first
    while place < bytes.count {
      guard place - first <= Self.longestLine else { throw .tooLong }
      let byte = bytes[place]
      if byte == 0x0A { throw .lineEnd }
      if byte == 0x0D {
        guard place + 1 < bytes.count else { return nil }
        guard bytes[place + 1] == 0x0A else { throw .lineEnd }
        return first..<place
      }
      place += 1
    }
    return nil
  }

  /// A number as servers write it: digits, perhaps behind one `-`, that fit in 64 bits.
  private func number(_ line: Range<Int>) throws(RedisViolation) -> Int64 {
    let isNegative = !line.isEmpty && bytes[line.lowerBound] == UInt8(ascii: "-")
    let digits = isNegative ? line.dropFirst() : line
    guard !digits.isEmpty else { throw .number }
    var value: Int64 = 0
    for place in digits {
      let digit = bytes[place] &- UInt8(ascii: "0")
      guard digit < 10 else { throw .number }
      let (shifted, isOver) = value.multipliedReportingOverflow(by: 10)
      let (next, isBeyond) =
        isNegative
        ? shifted.subtractingReportingOverflow(Int64(digit)) : shifted.addingReportingOverflow(Int64(digit))
      guard !isOver, !isBeyond else { throw .number }
      value = next
    }
    return value
  }

  /// `nil`: there is none, which is written -1.
  private func length(_ line: Range<Int>, upTo most: Int) throws(RedisViolation) -> Int? {
    let value = try number(line)
    if value == -1 { return nil }
    guard value >= 0 else { throw .number }
    guard value <= most else { throw .tooLong }
    return Int(value)
  }

  private func copy(_ range: Range<Int>) -> [UInt8] { Array(bytes.span.extracting(range)) }
}

extension Array where Element == UInt8 {
  fileprivate init(_ span: Span<UInt8>) {
    self = span.withUnsafeBufferPointer { Array($0) }
  }
}
