internal import HTTPWire
internal import Primitives

/// One connection to the upstream and what its answers are read with.
final class PooledConnection {
  let stream: ByteStream
  /// See `UpstreamPool`.
  let generation: Int
  // Changed by one exchange at a time, on the loop's thread.
  @exclusivity(unchecked) private var parser: ResponseParser

  init(_ stream: ByteStream, limits: HTTPLimits, generation: Int) {
    self.stream = stream
    self.generation = generation
    parser = ResponseParser(limits: limits)
  }

  /// After an answer: whether nothing came that nobody asked for.
  var isReusable: Bool { !parser.hasLeftover && stream.checkIdle() }

  @inline(__always)
  func exchange(
    _ request: borrowing ByteBuffer, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage {
    stream.deadline = deadline
    do throws(TransportError) {
      try await stream.write(request)
    } catch .timedOut {
      throw .timedOut(sent: true)
    } catch {
      // Part of it may be on its way.
      throw .lost(error)
    }
    while true {
      if let answer = try receive() { return answer }
      do throws(TransportError) {
        try await stream.waitReadable()
      } catch .timedOut {
        throw .timedOut(sent: true)
      } catch {
        throw .lost(error)
      }
    }
  }

  /// Reads what can be read at once; `nil` when an answer is not whole yet.
  private func receive() throws(ExchangeFailure) -> ResponseMessage? {
    while true {
      let count: Int
      do throws(TransportError) {
        guard let received = try stream.receive() else { return nil }
        count = received
      } catch {
        throw .lost(error)
      }
      do throws(HTTPViolation) {
        guard count > 0 else {
          // An answer may last until its connection ends.
          if let answer = try parser.finish() { return answer }
          break
        }
        let loop = stream.loop
        if case .response(let answer) = try parser.next(adding: loop.received(count)) { return answer }
      } catch {
        throw .unreadable(error)
      }
    }
    throw .lost(.closed)
  }
}
