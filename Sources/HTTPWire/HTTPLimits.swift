/// How much of one message is accepted.
package struct HTTPLimits: Sendable, Hashable {
  /// The start line and all field lines with their line ends; also the sum of a chunked body's extensions
  /// and trailers.
  package let headerBytes: Int
  /// The content, after chunked framing is taken off.
  package let bodyBytes: Int

  /// What a message's positions can count (`ByteSlice`), with space to spare.
  private static let most = 1 << 30

  package init(headerBytes: Int = 16 << 10, bodyBytes: Int = 256 << 10) {
    self.headerBytes = min(headerBytes, Self.most)
    self.bodyBytes = min(bodyBytes, Self.most)
  }
}
