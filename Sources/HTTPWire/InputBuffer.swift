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

  /// Takes a head and the content behind it. When nothing else is buffered the head keeps the buffer, which
  /// is the usual case and spares a copy.
  mutating func take(head headCount: Int, body bodyCount: Int) -> (head: [UInt8], body: [UInt8]) {
    let bodyStart = start + headCount
    let end = bodyStart + bodyCount
    precondition(end <= bytes.count, "taking what was received")
    let body = Array(bytes[bodyStart..<end])
    guard start == 0, end == bytes.count else {
      let head = Array(bytes[start..<bodyStart])
      discard(headCount + bodyCount)
      return (head, body)
    }
    var head: [UInt8] = []
    swap(&head, &bytes)
    head.removeLast(bodyCount)
    return (head, body)
  }

  /// Takes all that is buffered.
  mutating func takeAll() -> [UInt8] {
    let all = start == 0 ? bytes : Array(bytes[start...])
    clear()
    return all
  }
}
