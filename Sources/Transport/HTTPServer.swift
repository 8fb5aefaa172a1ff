package import HTTPWire
internal import Primitives

/// An answer as a handler gives it; the server adds Date, Connection, framing and writes it.
package struct Reply: Sendable {
  package var status: Int
  /// Whole field lines, each with its CRLF.
  package var fieldLines: [UInt8]
  package var body: [UInt8]
  /// The connection ends with this answer.
  package var closes: Bool

  package init(status: Int, fieldLines: [UInt8] = [], body: [UInt8] = [], closes: Bool = false) {
    self.status = status
    self.fieldLines = fieldLines
    self.body = body
    self.closes = closes
  }
}

/// Why the server could not read a request.
package enum UnreadableRequest: Error, Sendable {
  case violation(HTTPViolation)
  /// The head or the body did not arrive in time.
  case tooSlow
}

/// What a server does with requests. Called on the connection's loop.
package protocol HTTPHandler: Sendable {
  func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply
  func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply
}

/// How long a server waits, in nanoseconds, and how much it reads.
package struct ServerLimits: Sendable {
  package var http: HTTPLimits
  package var header: Int64
  package var body: Int64
  package var idle: Int64

  package init(
    http: HTTPLimits = HTTPLimits(), header: Int64 = 10_000_000_000, body: Int64 = 10_000_000_000,
    idle: Int64 = 75_000_000_000
  ) {
    self.http = http
    self.header = header
    self.body = body
    self.idle = idle
  }
}

/// Reads requests from one connection, in order, and writes what the handler answers (RFC 9112 sections 9.3 and 9.6).
package struct HTTPServer<Handler: HTTPHandler>: Sendable {
  package let handler: Handler
  package let limits: ServerLimits
  /// Set when the process drains: answers then end their connections.
  package let drain: DrainFlag

  package init(handler: Handler, limits: ServerLimits, drain: DrainFlag) {
    self.handler = handler
    self.limits = limits
    self.drain = drain
  }

  /// Serves `accepted` until either side ends it; `ended` is called on the loop when the connection is over.
  package func serve(
    _ accepted: AcceptedConnection, tls: TLSContext?, on loop: EventLoop,
    ended: @escaping @Sendable () -> Void = {}
  ) async {
    guard let stream = try? ByteStream(accepted, loop: loop, tls: tls) else { return ended() }
    do throws(TransportError) {
      stream.deadline = loop.clock.monotonic().nanoseconds + limits.header
      try await stream.handshake()
    } catch {
      stream.close()
      return ended()
    }
    await serve(LoopConfined(stream), ended: ended)
  }

  private func serve(_ connection: LoopConfined<ByteStream>, ended: @escaping @Sendable () -> Void) async {
    let stream = connection.value
    do throws(TransportError) {
      try await serve(stream)
    } catch .parkable {
      return stream.park { [self] isReadable in
        guard isReadable else {
          connection.value.close()
          return ended()
        }
        connection.value.loop.spawn { await serve(connection, ended: ended) }
      }
    } catch {
      // The peer is gone or silent: nobody is left to answer.
      stream.close()
    }
    ended()
  }

  /// How long a connection idles before its task ends and the connection waits without one.
  private static var parkAfter: Int64 { 1_000_000_000 }

  /// Returns when the connection is over; throws `.parkable` when it idles.
  private func serve(_ stream: ByteStream) async throws(TransportError) {
    var parser = RequestParser(limits: limits.http)
    var dates = HTTPDateCache()
    var waitingFor: RequestParser.Stage?
    var served = 0
    while true {
      let event: RequestEvent
      do throws(HTTPViolation) {
        event = try parser.next()
      } catch {
        return try await refuse(.violation(error), stream, &dates)
      }
      switch event {
      case .request(let message):
        waitingFor = nil
        let reply = await handler.reply(to: message, on: stream)
        let keepAlive = message.head.keepAlive && !reply.closes && !drain.isSet
        let isHEAD = message.head.equals(message.head.method, "HEAD")
        try await write(reply, keepAlive: keepAlive, toHEAD: isHEAD, to: stream, &dates)
        guard keepAlive else { return await stream.closeLingering() }
        // Answers of our own need no wait: without this, a caller that pipelines fast enough keeps the loop to itself.
        served &+= 1
        if served.isMultiple(of: 16) { await Task.yield() }
      case .continueExpected:
        try await stream.write(ResponseWriter.continueExpected)
      case .needsMore:
        if waitingFor != parser.stage {
          waitingFor = parser.stage
          setDeadline(for: parser.stage, stream)
        }
        do throws(TransportError) {
          guard try await receive(from: stream, into: &parser) else { return stream.close() }
        } catch .timedOut where parser.stage != .idle {
          return try await refuse(.tooSlow, stream, &dates)
        }
      }
    }
  }

  /// `false` when the peer ended the connection.
  private func receive(
    from stream: ByteStream, into parser: inout RequestParser
  ) async throws(TransportError) -> Bool {
    while true {
      if let count = try stream.receiveAvailable({ parser.receive($0) }) { return count > 0 }
      // Drain may end a connection only while it owes nothing.
      stream.isInterruptible = parser.isIdle
      if drain.isSet, parser.isIdle { throw .interrupted }
      defer { stream.isInterruptible = false }
      try await stream.waitReadable()
    }
  }

  private func setDeadline(for stage: RequestParser.Stage, _ stream: ByteStream) {
    let allowed =
      switch stage {
      case .idle: limits.idle
      case .head: limits.header
      case .body: limits.body
      }
    let now = stream.loop.clock.monotonic().nanoseconds
    stream.deadline = now + allowed
    stream.parkableAt = now + Self.parkAfter
  }

  private func refuse(
    _ fault: UnreadableRequest, _ stream: ByteStream, _ dates: inout HTTPDateCache
  ) async throws(TransportError) {
    let reply = await handler.reply(toUnreadable: fault, on: stream)
    try await write(reply, keepAlive: false, toHEAD: false, to: stream, &dates)
    await stream.closeLingering()
  }

  private func write(
    _ reply: Reply, keepAlive: Bool, toHEAD: Bool, to stream: ByteStream, _ dates: inout HTTPDateCache
  ) async throws(TransportError) {
    let loop = stream.loop
    var out: [UInt8] = []
    out.reserveCapacity(256 + reply.fieldLines.count + reply.body.count)
    let date = dates.value(at: loop.clock.wallClock())
    ResponseWriter.appendStart(status: reply.status, keepAlive: keepAlive, date: date, into: &out)
    out.append(contentsOf: reply.fieldLines)
    ResponseWriter.appendEnd(status: reply.status, body: reply.body, toHEAD: toHEAD, into: &out)
    stream.deadline = loop.clock.monotonic().nanoseconds + limits.body
    try await stream.write(out)
  }
}

/// A value that only its loop's thread touches, on its way through a closure that the compiler takes for another thread's.
///
/// `@unchecked Sendable`: every closure that holds one runs on the value's loop (`EventLoop.spawn`, socket callbacks).
private struct LoopConfined<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
