internal import HTTPWire
internal import Primitives

// What is kept of an answer for repeats of its request: what these are answered with, and not the message around it.
extension UpstreamAnswer {
  /// Appends the id of the request that got it, and behind that a response with what is passed on of it.
  func append(kept bytes: inout ByteBuffer) {
    withUnsafeBytes(of: (answered.high.littleEndian, answered.low.littleEndian)) { bytes.append($0) }
    bytes.append("HTTP/1.1 ")
    bytes.append(decimal: status)
    bytes.append("\r\n")
    appendFieldLines(to: &bytes)
    bytes.append("\r\n")
    let head = message.head
    bytes.append(head[message.body])
  }

  /// What was kept; `nil` when that is none.
  convenience init?(kept bytes: [UInt8]) {
    guard bytes.count > Self.idCount else { return nil }
    let raw = bytes.span.bytes
    let id = RequestID(
      high: UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      low: UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    var parser = ResponseParser(limits: HTTPLimits())
    do {
      // Without a length it lasts until its end, unless its status says that it has no content.
      switch try parser.next(adding: raw.extracting(droppingFirst: Self.idCount)) {
      case .response(let message): self.init(message, to: id)
      case .needsMore:
        guard let message = try parser.finish() else { return nil }
        self.init(message, to: id)
      }
    } catch {
      return nil
    }
  }

  private static let idCount = 16
}
