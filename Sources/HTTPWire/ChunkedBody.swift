internal import Primitives

/// Decodes chunked content (RFC 9112 section 7.1). Extensions and trailers are checked and discarded.
///
/// Stricter than the grammar in one place: the "bad whitespace" it tolerates around `;` and `=` for old
/// senders is refused, since parsers disagree about it and no SDK writes it.
struct ChunkedBody: ~Copyable {
  /// The message's head and behind it the content so far.
  private var message = ByteBuffer()
  private var headCount = 0
  private var stage = Stage.sizeLine
  private var lines = LineScanner()
  /// Bytes of extensions and trailers so far.
  private var overhead = 0
  private let limits: HTTPLimits

  /// What comes next.
  private enum Stage: Sendable {
    /// A chunk's size and extensions; then `data`, or `trailers` after size 0.
    case sizeLine
    /// So many bytes of the chunk are still to come; then `dataEnd`.
    case data(Int)
    /// The CRLF behind a chunk's data; then `sizeLine`.
    case dataEnd
    /// Trailer lines until an empty one.
    case trailers
  }

  /// What one call made of the bytes it was given.
  struct Progress {
    let consumed: Int
    let isComplete: Bool
  }

  init(limits: HTTPLimits) { self.limits = limits }

  /// Makes ready for the content that belongs to `head`.
  mutating func begin(behind head: RawSpan) {
    message.append(head)
    headCount = head.byteCount
    stage = .sizeLine
    lines = LineScanner()
    overhead = 0
  }

  /// What `begin` was given.
  var head: RawSpan {
    @_lifetime(borrow self) get { message.span.bytes.extracting(first: headCount) }
  }

  /// Decodes as much of `bytes` as it can. The caller discards what was consumed and hands over the rest
  /// again with what follows.
  mutating func decode(_ bytes: RawSpan) throws(HTTPViolation) -> Progress {
    var consumed = 0
    while true {
      let rest = bytes.extracting(droppingFirst: consumed)
      switch stage {
      case .data(let size):
        let count = min(size, rest.byteCount)
        message.append(rest.extracting(first: count))
        consumed += count
        stage = count == size ? .dataEnd : .data(size - count)
        if count < size { return Progress(consumed: consumed, isComplete: false) }
      case .dataEnd:
        if rest.byteCount > 0, rest.byte(0) != .carriageReturn { throw .badChunkEnd }
        if rest.byteCount > 1, rest.byte(1) != .lineFeed { throw .badChunkEnd }
        guard rest.byteCount > 1 else { return Progress(consumed: consumed, isComplete: false) }
        consumed += 2
        stage = .sizeLine
      case .sizeLine:
        guard let line = try nextLine(in: rest) else {
          return Progress(consumed: consumed, isComplete: false)
        }
        try readSizeLine(line, in: rest)
        consumed += line.upperBound + 2
      case .trailers:
        guard let line = try nextLine(in: rest) else {
          return Progress(consumed: consumed, isComplete: false)
        }
        consumed += line.upperBound + 2
        if line.isEmpty { return Progress(consumed: consumed, isComplete: true) }
        try readTrailer(line, in: rest)
      }
    }
  }

  /// The head and the content behind it.
  mutating func takeMessage() -> ByteBuffer {
    var taken = ByteBuffer()
    swap(&taken, &message)
    return taken
  }

  /// A line at the start of `rest`. Consumed lines are dropped, so every line begins at 0.
  private mutating func nextLine(in rest: RawSpan) throws(HTTPViolation) -> Range<Int>? {
    let most = Self.longestSize + 2 + limits.headerBytes - overhead
    guard let line = try lines.next(in: rest, limit: most, excess: .trailersTooLarge) else { return nil }
    lines = LineScanner()
    return line
  }

  /// `chunk-size [ chunk-ext ]`
  private mutating func readSizeLine(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    var index = line.lowerBound
    var size = 0
    while index < line.upperBound, let digit = Hex.value(of: bytes.byte(index)) {
      guard index - line.lowerBound < Self.longestSize else { throw .badChunkSize }
      size = size << 4 | Int(digit)
      index += 1
    }
    guard index > line.lowerBound else { throw .badChunkSize }
    if index < line.upperBound {
      guard bytes.byte(index) == UInt8(ascii: ";") else { throw .badChunkSize }
      try ChunkExtensions.check(index..<line.upperBound, in: bytes)
      try addOverhead(line.upperBound - index)
    }
    guard size <= limits.bodyBytes - (message.count - headCount) else { throw .bodyTooLarge }
    stage = size == 0 ? .trailers : .data(size)
  }

  /// Fifteen digits are below 2^60, so a size cannot overflow.
  private static let longestSize = 15

  private mutating func readTrailer(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    let field = try FieldLine(line, in: bytes)
    switch field.known {
    case .contentLength, .transferEncoding, .host: throw .forbiddenTrailer
    default: try addOverhead(line.count + 2)
    }
  }

  private mutating func addOverhead(_ count: Int) throws(HTTPViolation) {
    overhead += count
    guard overhead <= limits.headerBytes else { throw .trailersTooLarge }
  }

}

/// `*( ";" chunk-ext-name [ "=" chunk-ext-val ] )` (RFC 9112 section 7.1.1).
enum ChunkExtensions {
  /// Checks the extensions at `range`, which begins with a `;`.
  static func check(_ range: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    var index = range.lowerBound
    let end = range.upperBound
    while index < end {
      guard bytes.byte(index) == UInt8(ascii: ";") else { throw .badChunkExtension }
      index = try token(from: index + 1, to: end, in: bytes)
      guard index < end, bytes.byte(index) == UInt8(ascii: "=") else { continue }
      index += 1
      if index < end, bytes.byte(index) == UInt8(ascii: "\"") {
        index = try quotedString(from: index, to: end, in: bytes)
      } else {
        index = try token(from: index, to: end, in: bytes)
      }
    }
  }

  /// Returns the position behind the token at `start`.
  private static func token(from start: Int, to end: Int, in bytes: RawSpan) throws(HTTPViolation) -> Int {
    var index = start
    while index < end, ByteSet.token.contains(bytes.byte(index)) { index += 1 }
    guard index > start else { throw .badChunkExtension }
    return index
  }

  /// Returns the position behind the quoted string at `start` (RFC 9110 section 5.6.4).
  private static func quotedString(
    from start: Int, to end: Int, in bytes: RawSpan
  ) throws(HTTPViolation) -> Int {
    var index = start + 1
    while index < end, bytes.byte(index) != UInt8(ascii: "\"") {
      index += bytes.byte(index) == UInt8(ascii: "\\") ? 2 : 1
    }
    guard index < end else { throw .badChunkExtension }
    return index + 1
  }
}
