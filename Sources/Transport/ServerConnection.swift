internal import HTTPWire
internal import Primitives

/// Reads requests from one connection, in order, and writes what the handler answers (RFC 9112 sections 9.3 and 9.6).
///
/// While something is under way it is served by a task, from which all that it needs then hangs. Before the first byte, and
/// once it has idled for a while, it waits without one and owns no more than its socket.
///
/// `@unchecked Sendable`: it is touched only by its loop's thread, which also runs its task.
final class ServerConnection: ParkedConnection, @unchecked Sendable {
  private let stream: ByteStream
  private let server: HTTPServer
  private var needsProxyHeader = false
  private var needsHandshake = false
  /// When the first request's head must be here, however the time until then was spent; `nil` once it is.
  private var firstHeadDue: Int64?
  /// What its content budget has given for the request whose content is awaited; `nil` until its head was looked at.
  private var awaitedContent: Int?

  init(_ stream: ByteStream, of server: HTTPServer) {
    self.stream = stream
    self.server = server
  }

  /// How long a connection idles before its task ends and the connection waits without one: nanoseconds. A task holds some
  /// 6 KB, which the heap does not get back whole once thousands of them end, so that in a crowd none may wait for long.
  private static func parkAfter(among connections: Int) -> Int64 {
    connections > 512 ? 100_000_000 : 1_000_000_000
  }
  /// After so many answers in a row another connection has its turn.
  private static let answersPerTurn = 16

  func begin(isTLS: Bool, isProxied: Bool) {
    needsProxyHeader = isProxied
    needsHandshake = isTLS
    let due = server.loop.now + server.limits.header
    firstHeadDue = due
    stream.deadline = due
    stream.park(self)
  }

  func wake(_ wake: Socket.Wake) {
    guard wake == .ready else { return end() }
    server.loop.spawn { await self.serve() }
  }

  private func end() {
    settleContent()
    server.loop.endedTasks += 1
    stream.close()
    server.connectionEnded(stream.peer)
  }

  private func serve() async {
    do throws(TransportError) {
      if needsProxyHeader {
        needsProxyHeader = false
        try await stream.readProxyHeader()
      }
      if needsHandshake {
        needsHandshake = false
        try await stream.handshake()
      }
      try await serveRequests()
    } catch .parkable {
      server.loop.endedTasks += 1
      return stream.park(self)
    } catch .proxyHeader {
      server.proxyHeaderMissing(stream.peer)
    } catch {
      // The peer is gone or silent: nobody is left to answer.
    }
    end()
  }

  /// Returns when the connection is over; throws `.parkable` when it idles.
  private func serveRequests() async throws(TransportError) {
    var parser = RequestParser(limits: server.limits.http)
    var served = 0
    do throws(ConnectionFault) {
      var event = try await receive(into: &parser)
      while true {
        switch event {
        case .request(let message):
          firstHeadDue = nil
          if awaitedContent != nil { settleContent() }
          let reply = await server.handler.reply(to: message, on: stream)
          if reply.closes, stream.isAnswered { throw .ended }
          let keepAlive = message.head.keepAlive && !reply.closes && !server.drain.isSet
          try await write(reply, keepAlive: keepAlive, toHEAD: message.head.isHEAD)
          guard keepAlive else { return await stream.closeLingering() }
          // Answers of our own need no wait: without this, a caller that pipelines fast enough keeps the loop to itself.
          served &+= 1
          if served.isMultiple(of: Self.answersPerTurn) { await Task.yield() }
          event = try next(of: &parser)
        case .continueExpected:
          try await judgeHead(of: parser)
          try await writeContinue()
          event = try next(of: &parser)
        case .needsMore:
          event = try await receive(into: &parser)
        }
      }
    } catch {
      switch error {
      case .transport(.timedOut) where parser.stage != .idle: await refuse(.tooSlow)
      case .violation(let violation): await refuse(.violation(violation))
      case .transport(let error): throw error
      case .ended: break
      }
    }
  }

  /// What ends the reading of requests.
  private enum ConnectionFault: Error {
    case transport(TransportError)
    case violation(HTTPViolation)
    /// The peer will send no more, or takes no more.
    case ended
  }

  private func next(of parser: inout RequestParser) throws(ConnectionFault) -> RequestEvent {
    do throws(HTTPViolation) { return try parser.next() } catch { throw .violation(error) }
  }

  /// Reads until there is an event.
  @inline(__always)
  private func receive(into parser: inout RequestParser) async throws(ConnectionFault) -> RequestEvent {
    var waitsFor: RequestParser.Stage?
    while true {
      if let event = try receiveAvailable(into: &parser) {
        if case .needsMore = event { continue }
        return event
      }
      let stage = parser.stage
      if waitsFor != stage {
        waitsFor = stage
        setDeadline(for: stage)
      }
      if stage == .body, awaitedContent == nil {
        try await awaitContent(of: parser)
      } else {
        try await wait(isIdle: stage == .idle)
      }
    }
  }

  /// Waits for the rest of a request whose head is here. Little content, which mostly comes right behind its head, gets a
  /// moment for that; otherwise the head is looked at before more is kept of it.
  private func awaitContent(of parser: borrowing RequestParser) async throws(ConnectionFault) {
    let due = stream.deadline
    if let announced = parser.announcedContent, announced <= Self.littleContent {
      stream.deadline = min(due, server.loop.now + Self.moment)
      do throws(ConnectionFault) {
        try await wait(isIdle: false)
        stream.deadline = due
        return
      } catch {
        guard case .transport(.timedOut) = error, server.loop.now < due else { throw error }
        stream.deadline = due
      }
    }
    try await judgeHead(of: parser)
  }

  private static let littleContent = 8 << 10
  /// Nanoseconds.
  private static let moment: Int64 = 100_000_000

  /// Refuses, and throws, when the head is enough to refuse the request, or there is no room for its content.
  private func judgeHead(of parser: borrowing RequestParser) async throws(ConnectionFault) {
    guard awaitedContent == nil, let announced = parser.announcedContent, let head = parser.pendingHead else {
      return
    }
    if let reply = server.handler.reply(toHead: head, on: stream) {
      return try await end(with: reply, toHEAD: head.isHEAD)
    }
    guard server.content.take(announced) else {
      return try await end(
        with: await server.handler.reply(toUnreadable: .tooMuchContent, on: stream), toHEAD: head.isHEAD)
    }
    awaitedContent = announced
  }

  /// Answers, and reads no more: what still comes of the request is let go, within bounds.
  private func end(with reply: consuming Reply, toHEAD: Bool) async throws(ConnectionFault) {
    try await write(reply, keepAlive: false, toHEAD: toHEAD)
    await stream.closeLingering()
    throw .ended
  }

  private func settleContent() {
    if let awaited = awaitedContent { server.content.giveBack(awaited) }
    awaitedContent = nil
  }

  /// Reads once; `nil` when nothing is here.
  private func receiveAvailable(
    into parser: inout RequestParser
  ) throws(ConnectionFault) -> RequestEvent? {
    let count: Int
    do throws(TransportError) {
      guard let received = try stream.receive() else { return nil }
      count = received
    } catch {
      throw .transport(error)
    }
    guard count > 0 else { throw .ended }
    do throws(HTTPViolation) {
      let loop = server.loop
      return try parser.next(adding: loop.received(count))
    } catch {
      throw .violation(error)
    }
  }

  @inline(__always)
  private func wait(isIdle: Bool) async throws(ConnectionFault) {
    // Drain may end a connection only while it owes nothing.
    if isIdle, server.drain.isSet { throw .transport(.interrupted) }
    stream.isInterruptible = isIdle
    defer { stream.isInterruptible = false }
    do throws(TransportError) { try await stream.waitReadable() } catch { throw .transport(error) }
  }

  private func setDeadline(for stage: RequestParser.Stage) {
    let limits = server.limits
    let allowed =
      switch stage {
      case .idle: limits.idle
      case .head: limits.header
      case .body: limits.body
      }
    let now = server.loop.now
    if stage == .body { firstHeadDue = nil }
    stream.deadline = firstHeadDue ?? now + allowed
    stream.parkableAt = now + Self.parkAfter(among: server.loop.openSockets)
  }

  private func refuse(_ fault: UnreadableRequest) async {
    let reply = await server.handler.reply(toUnreadable: fault, on: stream)
    do throws(ConnectionFault) {
      try await write(reply, keepAlive: false, toHEAD: false)
      await stream.closeLingering()
    } catch {
      // Nobody is left to answer.
    }
  }

  private func writeContinue() async throws(ConnectionFault) {
    var out = server.loop.takeBuffer()
    out.append(ResponseWriter.continueExpected)
    do throws(TransportError) { try await stream.write(out) } catch { throw .ended }
    server.loop.giveBack(out)
  }

  @inline(__always)
  private func write(
    _ reply: consuming Reply, keepAlive: Bool, toHEAD: Bool
  ) async throws(ConnectionFault) {
    let loop = server.loop
    var out = loop.takeBuffer()
    out.reserve(256 + reply.fieldLines.count + reply.body.count)
    loop.appendAnswerStart(status: reply.status, keepAlive: keepAlive, to: &out)
    out.append(reply.fieldLines.span)
    ResponseWriter.appendEnd(
      status: reply.status, body: reply.bytes.span[reply.body], toHEAD: toHEAD, into: &out)
    loop.giveBack(reply.takeFieldLines())
    stream.deadline = loop.now + server.limits.body
    do throws(TransportError) { try await stream.write(out) } catch { throw .ended }
    loop.giveBack(out)
  }
}

extension Reply {
  consuming func takeFieldLines() -> ByteBuffer { fieldLines }
}
