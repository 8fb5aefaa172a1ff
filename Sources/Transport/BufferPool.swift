internal import Primitives

/// Emptied buffers of one loop that have already grown. What is written once a request (an outbound head, the lines of an
/// answer, the answer as it is sent) takes one and gives it back, so that a request allocates none.
struct BufferPool: ~Copyable {
  private let slots = UnsafeMutablePointer<ByteBuffer>.allocate(capacity: BufferPool.most)
  private var count = 0

  /// As many as are in use at once by the requests of one turn, more or less.
  private static let most = 64
  private static let usualCapacity = 2048
  /// What an unusual request made larger is not kept.
  private static let largestCapacity = 16 * 1024

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }

  mutating func take() -> ByteBuffer {
    guard count > 0 else { return ByteBuffer(capacity: Self.usualCapacity) }
    count -= 1
    return (slots + count).move()
  }

  mutating func giveBack(_ buffer: consuming ByteBuffer) {
    guard count < Self.most, 1...Self.largestCapacity ~= buffer.room else { return }
    buffer.removeAll()
    (slots + count).initialize(to: buffer)
    count += 1
  }
}
