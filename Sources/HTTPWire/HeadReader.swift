/// The first line of a message: a request line or a status line.
protocol StartLine: Sendable {
  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation)
}

/// A head that has been read to its end. Positions count from the head's first byte.
struct CompleteHead<Line: StartLine>: Sendable {
  let line: Line
  let fields: FieldSection
  /// With the empty line.
  let byteCount: Int
}

/// Reads one head line by line as its bytes arrive: a start line, field lines, an empty line.
struct HeadReader<Line: StartLine>: Sendable {
  private var scanner = LineScanner()
  private var startLine: Line?
  private var fields = FieldSection()

  mutating func next(
    in input: borrowing InputBuffer, limit: Int
  ) throws(HTTPViolation) -> CompleteHead<Line>? {
    try next(in: input.bytes.span.bytes.extracting(droppingFirst: input.start), limit: limit)
  }

  /// Reads on, and returns the head once its last byte is there. `bytes` begin with the head.
  mutating func next(in bytes: RawSpan, limit: Int) throws(HTTPViolation) -> CompleteHead<Line>? {
    while let line = try scanner.next(in: bytes, limit: limit, excess: .headTooLarge) {
      guard let startLine else {
        startLine = try Line(line, in: bytes)
        continue
      }
      if line.isEmpty {
        return CompleteHead(line: startLine, fields: fields, byteCount: scanner.lineStart)
      }
      try fields.read(line, in: bytes)
    }
    return nil
  }
}
