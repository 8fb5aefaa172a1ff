package import Primitives

/// Writes request heads. Fields, among them Host, framing and what is signed, are the caller's to write, and the empty
/// line behind them.
package enum RequestWriter {
  /// Appends the request line.
  ///
  /// - Parameters:
  ///   - path: as it is signed and sent, beginning with `/`.
  ///   - query: without `?`; empty for none.
  package static func appendLine(
    method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>, into out: inout ByteBuffer
  ) {
    appendMethod(method, into: &out)
    out.append(.space)
    appendTarget(path, into: &out)
    if !query.isEmpty {
      out.append(UInt8(ascii: "?"))
      appendTarget(query, into: &out)
    }
    out.append(" HTTP/1.1\r\n")
  }

  private static func appendMethod(_ method: Span<UInt8>, into out: inout ByteBuffer) {
    guard !method.bytes.isToken(0..<method.count) else { return out.append(method) }
    for index in method.indices where ByteSet.token.contains(method[index]) { out.append(method[index]) }
  }

  /// A byte that could end the target or the line is percent-encoded; none is in what is signed.
  private static func appendTarget(_ target: Span<UInt8>, into out: inout ByteBuffer) {
    var written = 0
    while true {
      let end = target.bytes.firstInvisible(from: written, to: target.count)
      out.append(target.extracting(written..<end))
      guard end < target.count else { return }
      var escaped: [UInt8] = []
      PercentCoding.encode(CollectionOfOne(target[end]), into: &escaped)
      out.append(escaped)
      written = end + 1
    }
  }
}
