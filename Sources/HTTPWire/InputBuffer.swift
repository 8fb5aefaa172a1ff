internal import Primitives

/// Bytes received and not yet consumed. Empty, it holds no memory, so that idle connections are cheap.
struct InputBuffer: ~Copyable {
  private var buffer = ByteBuffer()
  /// Where the unread bytes begin. They are not moved for each message, since many small ones may come at once.
  private var start = 0

  var count: Int { buffer.count - start }
  var isEmpty: Bool { buffer.count == start }

  var bytes: RawSpan {
    @_lifetime(borrow self) get { buffer.span.bytes.extracting(droppingFirst: start) }
  }

  mutating func append(_ more: RawSpan) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(more)
  }

  mutating func discard(_ count: Int) {
    start += count
    precondition(start <= buffer.count, "discarding what was received")
    if isEmpty { clear() }
  }

  mutating func clear() {
    buffer = ByteBuffer()
    start = 0
  }
}
