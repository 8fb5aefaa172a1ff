/// A value in a `JSONDocument`; valid only with the document that gave it.
@usableFromInline package struct JSONNode: BitwiseCopyable, Hashable, Sendable {
  @usableFromInline package let index: Int32

  @inlinable init(index: Int32) { self.index = index }
}

@usableFromInline package enum JSONKind: UInt8, BitwiseCopyable, Sendable {
  case null, boolean, integer, real, string, array, object
}

package struct JSONSyntaxError: Error, Hashable {
  /// Offset of the offending byte, counted from where the text begins.
  package let offset: Int
  /// Lower case, no full stop: `duplicate key "Name"`.
  package let message: String
  /// The message without anything that stands in the text, for those who may not show it: `duplicate key`.
  package let reason: String

  /// - Parameter reason: the message itself when it quotes nothing.
  init(offset: Int, message: String, reason: String? = nil) {
    self.offset = offset
    self.message = message
    self.reason = reason ?? message
  }
}

/// One JSON text (RFC 8259), read strictly in a single pass: no duplicate keys, no invalid UTF-8, no NUL,
/// no lone surrogates, no number beyond `Int` or `Double`, at most `maximumDepth` containers inside one another.
/// It shares the bytes, which may hold more than the text, and keeps a flat list of nodes that refer to them.
@usableFromInline package struct JSONDocument: Sendable {
  /// Deeper than any request of the service model (3) or any file of ours needs, shallow enough for whatever
  /// walks the tree by recursion.
  package static let maximumDepth = 32

  /// What the text stands in. Every place that a document speaks of is one in here.
  @usableFromInline package private(set) var bytes: [UInt8]
  @usableFromInline private(set) var tape: JSONTape

  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    try self.init(parsing: bytes, in: 0..<bytes.count)
  }

  /// - Parameter range: where the text stands in `bytes`.
  package init(parsing bytes: [UInt8], in range: Range<Int>) throws(JSONSyntaxError) {
    tape = JSONTape(capacity: Self.likelyEntries(range))
    self.bytes = []
    try parse(bytes, in: range)
  }

  /// One that holds no value: nothing of it may be asked before `parse`.
  package init() {
    tape = JSONTape(capacity: 0)
    bytes = []
  }

  /// Takes another text, in the memory of the one before.
  package mutating func parse(_ bytes: [UInt8], in range: Range<Int>) throws(JSONSyntaxError) {
    guard range.upperBound < Int32.max else { throw JSONSyntaxError(offset: 0, message: "too large") }
    precondition(range.lowerBound >= 0, "a text inside the bytes")
    let text = bytes.span.extracting(0..<range.upperBound)
    tape.reset(capacity: Self.likelyEntries(range))
    var failure = Self.scan(text, from: range.lowerBound, into: tape)
    if failure?.fault == .tapeFull {
      // Enough for any text: two values that are not inside one another have a byte between them.
      tape.reset(capacity: range.count / 2 + Self.maximumDepth + 2)
      failure = Self.scan(text, from: range.lowerBound, into: tape)
    }
    if let failure {
      throw JSONSyntaxError(failure.fault, at: failure.position, in: text, textStart: range.lowerBound)
    }
    self.bytes = bytes
  }

  /// Lets go of the text and keeps the memory, unless that is more than most texts need.
  package mutating func removeAll() {
    bytes = []
    tape.reset(capacity: 0, atMost: Self.mostKeptEntries)
  }

  /// A request of the service model has a value or key for every 14 bytes or so.
  private static func likelyEntries(_ range: Range<Int>) -> Int { range.count / 12 + 6 }

  /// 64 KiB.
  private static let mostKeptEntries = 4096

  @inline(never)
  private static func scan(
    _ text: Span<UInt8>, from start: Int, into tape: JSONTape
  ) -> (fault: JSONFault, position: Int)? {
    var failure: (fault: JSONFault, position: Int)?
    tape.fill { memory in
      var scanner = JSONScanner(from: start, into: memory)
      do throws(JSONFault) { try scanner.scan(text) } catch { failure = (error, scanner.position) }
      return scanner.tape.count
    }
    return failure
  }

  @inlinable package var root: JSONNode { JSONNode(index: 0) }

  @inlinable @inline(__always)
  package func kind(_ node: JSONNode) -> JSONKind { self[node].kind }

  /// The bytes of the value as they stand in the text.
  @inlinable package func source(_ node: JSONNode) -> Range<Int> { self[node].source }

  /// The number, or `nil` when it is not written as a whole number (`1.0` and `1e2` are not).
  package func integer(_ node: JSONNode) -> Int? {
    let entry = self[node]
    guard entry.kind == .integer else { return nil }
    return JSONNumber.integer(bytes.span, entry.source)
  }

  /// The number, whole or not, as near as a `Double` comes; `nil` when it is not one.
  package func real(_ node: JSONNode) -> Double? {
    let entry = self[node]
    guard entry.kind == .integer || entry.kind == .real else { return nil }
    return JSONNumber.real(bytes.span, entry.source)
  }

  package func boolean(_ node: JSONNode) -> Bool? {
    let entry = self[node]
    return entry.kind == .boolean ? bytes[entry.source.lowerBound] == UInt8(ascii: "t") : nil
  }

  /// The line and column of a byte, counted from the start of `bytes`: for messages, not for hot paths.
  package func position(ofOffset offset: Int) -> SourcePosition {
    SourcePosition(ofOffset: offset, in: bytes)
  }

  @inlinable subscript(node: JSONNode) -> JSONTapeEntry { tape[node.index] }
}
