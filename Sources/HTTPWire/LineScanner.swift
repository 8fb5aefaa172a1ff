/// Finds the lines of a head, each byte looked at once however the bytes arrive.
///
/// A line ends with CRLF. A CR or LF on its own and any other control byte but the tab are refused where
/// they stand, whether or not their line is complete, so that the same bytes give the same answer in
/// whatever pieces they come.
struct LineScanner: Sendable {
  private(set) var lineStart = 0
  private var scanned = 0

  init(from start: Int = 0) {
    lineStart = start
    scanned = start
  }

  /// The next line without its CRLF, or `nil` when it is not complete. No line may end beyond `limit`.
  @inline(__always)
  mutating func next(
    in bytes: RawSpan, limit: Int, excess: HTTPViolation
  ) throws(HTTPViolation) -> Range<Int>? {
    let end = min(bytes.byteCount, limit)
    var index = scanned
    while true {
      index = bytes.firstControl(from: index, to: end)
      guard index < end else { break }
      switch bytes.byte(index) {
      case .horizontalTab:
        index += 1
        continue
      case .carriageReturn:
        guard index + 1 < end else { break }
        guard bytes.byte(index + 1) == .lineFeed else { throw .bareCR }
        let line = lineStart..<index
        lineStart = index + 2
        scanned = lineStart
        return line
      case .lineFeed: throw .bareLF
      case let byte: throw .controlByte(byte)
      }
      break
    }
    scanned = index
    if bytes.byteCount > limit { throw excess }
    return nil
  }
}
