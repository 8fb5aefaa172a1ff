/// How much of one message is accepted.
package struct HTTPLimits: Sendable, Hashable {
  /// The start line and all field lines with their line ends; also the sum of a chunked body's extensions
  /// and trailers.
  package var headerBytes: Int
  /// The content, after chunked framing is taken off.
  package var bodyBytes: Int

  package init(headerBytes: Int = 16 << 10, bodyBytes: Int = 256 << 10) {
    self.headerBytes = headerBytes
    self.bodyBytes = bodyBytes
  }
}
