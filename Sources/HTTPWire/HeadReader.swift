internal import Primitives

/// The first line of a message: a request line or a status line.
protocol StartLine: BitwiseCopyable, Sendable {
  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation)

  /// 0 or 1.
  var minorVersion: UInt8 { get }
}

/// Reads one head line by line as its bytes arrive: a start line, field lines, an empty line. Positions count from the
/// head's first byte.
struct HeadReader<Line: StartLine>: ~Copyable {
  private var scanner = LineScanner()
  private(set) var startLine: Line?
  private(set) var framing = FramingFields()
  /// Keeps its memory from one head to the next.
  private var lines = ScratchArray<FieldLine>()

  /// Reads on, and returns the head's length, with the empty line, once its last byte is there. `bytes` begin with the
  /// head.
  mutating func next(in bytes: RawSpan, limit: Int) throws(HTTPViolation) -> Int? {
    while let line = try scanner.next(in: bytes, limit: limit, excess: .headTooLarge) {
      if startLine == nil {
        startLine = try Line(line, in: bytes)
      } else if line.isEmpty {
        return scanner.lineStart
      } else {
        let field = try FieldLine(line, in: bytes)
        if lines.isEmpty { lines.reserve(Self.usualCount) }
        lines.append(field)
        try framing.note(field, in: bytes)
      }
    }
    return nil
  }

  /// What SDKs send, and some more.
  private static var usualCount: Int { 16 }

  /// Puts what was read, start line and fields, into `head`.
  mutating func moveFields(to head: MessageHead, _ message: RawSpan) {
    head.replace(with: message, &lines)
  }

  /// Makes ready for another head.
  mutating func reset() {
    scanner = LineScanner()
    startLine = nil
    framing = FramingFields()
    lines.removeAll()
  }
}
