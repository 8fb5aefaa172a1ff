/// Bytes received and not yet consumed. Empty, it holds no memory, so that idle connections are cheap.
struct InputBuffer: ~Copyable {
  private(set) var bytes: [UInt8] = []
  /// Where the unread bytes begin.
  private(set) var start = 0

  var count: Int { bytes.count - start }
  var isEmpty: Bool { bytes.count == start }

  mutating func append(_ more: UnsafeRawBufferPointer) {
    if start > 0 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  mutating func discard(_ count: Int) {
    start += count
    precondition(start <= bytes.count, "discarding what was received")
    if isEmpty { clear() }
  }

  mutating func clear() {
    bytes = []
    start = 0
  }

  /// Takes the first `count` bytes, a head and the content behind it. When nothing else is buffered they are the buffer,
  /// which is the usual case and spares a copy.
  mutating func take(_ count: Int) -> [UInt8] {
    let end = start + count
    precondition(end <= bytes.count, "taking what was received")
    guard start == 0, end == bytes.count else {
      let taken = Array(bytes[start..<end])
      discard(count)
      return taken
    }
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    return taken
  }
}
