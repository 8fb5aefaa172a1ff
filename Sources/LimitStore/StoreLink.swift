internal import Primitives
internal import RedisWire
internal import SharedLimits
internal import Transport

/// One connection to a server, and what its replies are read with.
final class StoreLink {
  let stream: ByteStream
  /// How the script is called on this server.
  var script = ScriptCall.whole
  // Changed on the loop's thread alone, by methods that call nobody back but `forEachReply`, whose body asks nothing of it.
  private var reader = RedisReplyReader()

  init(_ stream: ByteStream) { self.stream = stream }

  /// Sends commands and reads a reply to each, before anybody else uses the connection.
  func ask(
    _ commands: borrowing ByteBuffer, count: Int, within timeout: Int64
  ) async throws(StoreFailure) -> [RedisReply] {
    stream.deadline = stream.loop.clock.monotonic().nanoseconds + timeout
    defer { stream.deadline = .max }
    var replies: [RedisReply] = []
    do throws(TransportError) {
      try await stream.write(commands)
    } catch {
      throw error == .timedOut ? .silent(timeout) : .lost(error)
    }
    while true {
      try forEachReply { replies.append($0) }
      guard replies.count < count else { break }
      try await waitForMore(timeout)
    }
    guard replies.count == count else { throw .unexpected }
    return replies
  }

  /// Suspends until there may be more to read.
  /// - Parameter timeout: what a failure says that was waited.
  func waitForMore(_ timeout: Int64 = 0) async throws(StoreFailure) {
    do throws(TransportError) {
      try await stream.waitReadable()
    } catch {
      throw error == .timedOut ? .silent(timeout) : .lost(error)
    }
  }

  /// Reads what can be read at once.
  func forEachReply(_ body: (RedisReply) throws(StoreFailure) -> Void) throws(StoreFailure) {
    while let count = try receive() {
      guard count > 0 else { throw .lost(.closed) }
      let loop = stream.loop
      reader.add(loop.received(count))
      while let reply = try next() { try body(reply) }
    }
  }

  private func receive() throws(StoreFailure) -> Int? {
    do throws(TransportError) { return try stream.receive() } catch { throw .lost(error) }
  }

  private func next() throws(StoreFailure) -> RedisReply? {
    do throws(RedisViolation) { return try reader.next() } catch { throw .unreadable(error) }
  }
}
