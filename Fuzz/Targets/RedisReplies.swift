internal import Primitives
internal import RedisWire

/// What a store answers: read whole, byte by byte, and by a slow reader that takes the protocol's description word for
/// word.
func checkRedisReplies(_ bytes: [UInt8]) throws(Disagreement) {
  let whole = replies(in: [bytes])
  let pieces = replies(in: bytes.map { [$0] })
  try expect(whole == pieces, "whole \(whole), in pieces \(pieces)")
  var reference = SlowReplyReader(rest: bytes[...])
  let expected = reference.readAll()
  guard whole.violation == nil else {
    // What is longer than any reply that is asked for is refused without being wrong.
    let isLimit = [.tooLong, .tooDeep].contains(whole.violation)
    try expect(isLimit || expected.isBroken, "\(whole) of what reads as \(expected.replies)")
    return
  }
  try expect(!expected.isBroken, "\(whole) of what cannot be read")
  try expect(whole.replies == expected.replies, "\(whole.replies) for \(expected.replies)")
}

private struct ReadReplies: Equatable {
  var replies: [RedisReply] = []
  var violation: RedisViolation?
}

private func replies(in pieces: [[UInt8]]) -> ReadReplies {
  var reader = RedisReplyReader()
  var read = ReadReplies()
  for piece in pieces {
    reader.add(piece.span.bytes)
    do throws(RedisViolation) {
      while let reply = try reader.next() { read.replies.append(reply) }
    } catch {
      read.violation = error
      return read
    }
  }
  return read
}

private struct SlowReplyReader {
  var rest: ArraySlice<UInt8>

  enum Outcome {
    case whole(RedisReply)
    case cut, broken
  }

  mutating func readAll() -> (replies: [RedisReply], isBroken: Bool) {
    var replies: [RedisReply] = []
    while !rest.isEmpty {
      switch readOne() {
      case .whole(let reply): replies.append(reply)
      case .cut: return (replies, false)
      case .broken: return (replies, true)
      }
    }
    return (replies, false)
  }

  private mutating func readOne() -> Outcome {
    guard let type = rest.popFirst() else { return .cut }
    guard "+-:$*".utf8.contains(type) else { return .broken }
    guard let end = rest.firstIndex(where: { $0 == 0x0D || $0 == 0x0A }) else { return .cut }
    guard rest[end] == 0x0D else { return .broken }
    guard end + 1 < rest.endIndex else { return .cut }
    guard rest[end + 1] == 0x0A else { return .broken }
    let line = Array(rest[..<end])
    rest = rest[(end + 2)...]
    switch type {
    case UInt8(ascii: "+"): return .whole(.status(line))
    case UInt8(ascii: "-"): return .whole(.error(RedisError(line)))
    default: break
    }
    let text = String(decoding: line, as: UTF8.self)
    guard let value = Int64(text), !text.hasPrefix("+") else { return .broken }
    if type == UInt8(ascii: ":") { return .whole(.integer(value)) }
    guard value != -1 else { return .whole(.null) }
    guard value >= 0 else { return .broken }
    return type == UInt8(ascii: "$") ? readBulk(of: Int(value)) : readArray(of: Int(value))
  }

  private mutating func readBulk(of count: Int) -> Outcome {
    let rest = Array(rest)
    if count < rest.count, rest[count] != 0x0D { return .broken }
    if count + 1 < rest.count, rest[count + 1] != 0x0A { return .broken }
    guard count + 1 < rest.count else { return .cut }
    self.rest = rest[(count + 2)...]
    return .whole(.bulk(Array(rest[..<count])))
  }

  private mutating func readArray(of count: Int) -> Outcome {
    var elements: [RedisReply] = []
    for _ in 0..<count {
      let element = readOne()
      guard case .whole(let reply) = element else { return element }
      elements.append(reply)
    }
    let numbers = elements.compactMap(\.integer)
    let isOfIntegers = !elements.isEmpty && numbers.count == elements.count
    return .whole(isOfIntegers ? .integers(numbers) : .array(elements))
  }
}
