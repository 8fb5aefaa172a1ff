package import HTTPWire
internal import Primitives

/// Where requests go and how.
package struct PoolTarget: Sendable {
  package let host: String
  package let port: UInt16
  /// `nil` for plain HTTP.
  package let tls: TLSContext?

  package init(host: String, port: UInt16, tls: TLSContext?) {
    self.host = host
    self.port = port
    self.tls = tls
  }
}

/// How an exchange failed, and above all whether upstream may have seen the request.
package enum ExchangeFailure: Error, Sendable {
  /// Not a byte was sent.
  case notSent(TransportError)
  /// The request may have been received; no whole answer came.
  case lost(TransportError)
  /// What came is not an HTTP answer that has one meaning.
  case unreadable(HTTPViolation)
  /// The deadline passed; `sent` says whether upstream may have received the request.
  case timedOut(sent: Bool)
}

/// The connections of one loop to the upstream, kept alive and used again, the latest first.
package final class UpstreamPool {
  package struct Limits: Sendable {
    /// Connections of this loop, in use and idle.
    package var connections: Int
    package var connectTimeout: Int64
    package var idleTimeout: Int64
    package var response: HTTPLimits

    package init(connections: Int, connectTimeout: Int64, idleTimeout: Int64, response: HTTPLimits) {
      self.connections = connections
      self.connectTimeout = connectTimeout
      self.idleTimeout = idleTimeout
      self.response = response
    }
  }

  private let loop: EventLoop
  private let target: PoolTarget
  private let limits: Limits
  private let resolver: Resolver
  private var idle: [PooledConnection] = []
  private let waiters = WaitingQueue()
  /// Connections in use, being opened, or promised to a waiter that was just woken.
  private var inUse = 0
  private var isClosed = false

  package init(target: PoolTarget, limits: Limits, loop: EventLoop) throws(TransportError) {
    self.loop = loop
    self.target = target
    self.limits = limits
    resolver = try Resolver(loop: loop)
  }

  package var idleCount: Int { idle.count }
  package var inUseCount: Int { inUse }

  /// Closes what has idled too long or has been closed by the peer. Called by the loop's tick.
  package func sweep() {
    let oldest = loop.clock.monotonic().nanoseconds - limits.idleTimeout
    var kept: [PooledConnection] = []
    for connection in idle {
      if connection.idleSince < oldest || connection.stream.hasStirred {
        connection.stream.close()
      } else {
        kept.append(connection)
      }
    }
    idle = kept
    waiters.expire(before: loop.clock.monotonic().nanoseconds)
  }

  /// No new use; idle connections are closed, those in use when they come back.
  package func close() {
    isClosed = true
    for connection in idle { connection.stream.close() }
    idle.removeAll()
  }

  /// Sends `request` and reads its whole answer by `deadline` (monotonic nanoseconds).
  package func exchange(
    _ request: [UInt8], isHEAD: Bool = false, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage {
    let connection: PooledConnection
    do throws(TransportError) {
      connection = try await lease(deadline: deadline)
    } catch .timedOut where loop.clock.monotonic().nanoseconds >= deadline {
      throw .timedOut(sent: false)
    } catch {
      throw .notSent(error)
    }
    do throws(ExchangeFailure) {
      let answer = try await connection.exchange(request, isHEAD: isHEAD, deadline: deadline)
      giveBack(connection, reusable: answer.head.keepAlive && !connection.parser.hasLeftover)
      return answer
    } catch {
      giveBack(connection, reusable: false)
      throw error
    }
  }

  private func lease(deadline: Int64) async throws(TransportError) -> PooledConnection {
    if inUse >= limits.connections {
      // The place of whoever gives back is ours then.
      guard await waiters.wait(until: deadline) else { throw .timedOut }
    } else {
      inUse += 1
    }
    if let connection = takeIdle() { return connection }
    do throws(TransportError) {
      return try await open(deadline: deadline)
    } catch {
      leave()
      throw error
    }
  }

  private func takeIdle() -> PooledConnection? {
    while let connection = idle.popLast() {
      if !connection.stream.hasStirred { return connection }
      connection.stream.close()
    }
    return nil
  }

  private func giveBack(_ connection: PooledConnection, reusable: Bool) {
    if reusable, !isClosed, !connection.stream.hasStirred {
      connection.idleSince = loop.clock.monotonic().nanoseconds
      connection.stream.deadline = .max
      idle.append(connection)
    } else {
      connection.stream.close()
    }
    leave()
  }

  /// A place is free: the longest waiter gets it.
  private func leave() {
    if !waiters.wakeFirst() { inUse -= 1 }
  }

  /// Opens a connection to the first address that answers.
  private func open(deadline: Int64) async throws(TransportError) -> PooledConnection {
    let addresses = try await resolver.resolve(target.host, port: target.port)
    let tls = target.tls.map {
      (context: $0, host: target.host, isAddress: SocketAddress.Host(literal: target.host) != nil)
    }
    var failure = TransportError.resolution(host: target.host, reason: "no address")
    for address in addresses {
      let now = loop.clock.monotonic().nanoseconds
      do throws(TransportError) {
        let stream = try await ByteStream.connect(
          to: address, tls: tls, loop: loop, deadline: min(deadline, now + limits.connectTimeout))
        return PooledConnection(stream, limits: limits.response)
      } catch {
        failure = error
      }
    }
    throw failure
  }
}

/// One connection to the upstream and what its answers are read with.
private final class PooledConnection {
  let stream: ByteStream
  var parser: ResponseParser
  var idleSince: Int64 = 0

  init(_ stream: ByteStream, limits: HTTPLimits) {
    self.stream = stream
    parser = ResponseParser(limits: limits)
  }

  func exchange(
    _ request: [UInt8], isHEAD: Bool, deadline: Int64
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
      do throws(HTTPViolation) {
        if case .response(let answer) = try parser.next(requestMethodIsHEAD: isHEAD) { return answer }
      } catch {
        throw .unreadable(error)
      }
      if let last = try await receive() { return last }
    }
  }

  /// Reads more; an answer that ends with its connection is returned.
  private func receive() async throws(ExchangeFailure) -> ResponseMessage? {
    do throws(TransportError) {
      while true {
        guard let count = try stream.receiveAvailable({ parser.receive($0) }) else {
          try await stream.waitReadable()
          continue
        }
        if count > 0 { return nil }
        break
      }
    } catch .timedOut {
      throw .timedOut(sent: true)
    } catch {
      throw .lost(error)
    }
    do throws(HTTPViolation) {
      if let answer = try parser.finish() { return answer }
    } catch {
      throw .unreadable(error)
    }
    throw .lost(.closed)
  }
}
