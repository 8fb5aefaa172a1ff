internal import Primitives

/// Writes request heads. The caller's fields include Host and whatever it signed; framing is added here.
package enum RequestWriter {
  /// Appends a request line, `fields`, Content-Length and the empty line. The content follows it.
  ///
  /// - Parameters:
  ///   - path: as it is signed and sent, beginning with `/`.
  ///   - query: without `?`; empty for none.
  ///   - contentLength: `nil` for a request without content, such as a GET.
  package static func append(
    method: some Collection<UInt8>, path: some Collection<UInt8>, query: some Collection<UInt8>,
    fields: some Sequence<OutgoingField>, contentLength: Int?, into out: inout [UInt8]
  ) {
    appendLine(method: method, path: path, query: query, into: &out)
    for field in fields { out.append(field) }
    if let contentLength { out.append(field: "content-length", decimal: contentLength) }
    out.append("\r\n")
  }

  /// Appends the request line alone, for callers that write their fields one by one.
  package static func appendLine(
    method: some Collection<UInt8>, path: some Collection<UInt8>, query: some Collection<UInt8>,
    into out: inout [UInt8]
  ) {
    for byte in method where ByteSet.token.contains(byte) { out.append(byte) }
    out.append(.space)
    appendTarget(path, into: &out)
    if !query.isEmpty {
      out.append(UInt8(ascii: "?"))
      appendTarget(query, into: &out)
    }
    out.append(" HTTP/1.1\r\n")
  }

  /// A byte that could end the target or the line is percent-encoded; none is in what is signed.
  private static func appendTarget(_ bytes: some Collection<UInt8>, into out: inout [UInt8]) {
    for byte in bytes {
      if byte > .space && byte < 0x7F {
        out.append(byte)
      } else {
        PercentCoding.encode(CollectionOfOne(byte), into: &out)
      }
    }
  }
}
