internal import Configuration
internal import Transport

/// The beginning of a connection that a proxy announces.
func checkProxyHeader(_ bytes: [UInt8]) throws(Disagreement) {
  let whole = reading(bytes)
  // Of any beginning it says the same, or that more is needed.
  for end in 0..<min(bytes.count, ProxyHeader.longestBlock + 1) {
    let part = reading(Array(bytes[..<end]))
    switch (part, whole) {
    case (.incomplete, _): continue
    case (.header(let one), .header(let other)) where one == other && one.length <= end: return
    // What was wrong with it may be known by other bytes.
    case (.refused, .refused): return
    default: throw Disagreement(description: "\(part) of \(end) bytes, \(whole) of all")
    }
  }
  guard case .header(let header) = whole else { return }
  try expect(header.length == bytes.count, "a header of \(header.length) bytes needed \(bytes.count)")
  try expect(reading(bytes + bytes) == whole, "what stands behind it was read")
  guard let source = header.source else { return }
  // Two writers, one by the C library and one by hand.
  let text = source.description
  try expect(IPAddress(parsing: text.utf8)?.description == text, "\(text) is no address in its one form")
}

private enum Reading: Equatable {
  case incomplete, refused
  case header(ProxyHeader)
}

private func reading(_ bytes: [UInt8]) -> Reading {
  do throws(ProxyHeader.Malformed) {
    return try ProxyHeader.read(bytes.span.bytes).map { .header($0) } ?? .incomplete
  } catch {
    return .refused
  }
}
