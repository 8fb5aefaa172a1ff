package import HTTPWire
package import OpenSSLCrypto
package import Primitives

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

/// The connections of one loop to the upstream, kept alive and used again. `PoolMachine` decides, and this does it.
package final class UpstreamPool {
  package struct Limits: Sendable {
    /// Connections of this loop, in use and idle.
    package let connections: Int
    /// Nanoseconds, like those below.
    package let connectTimeout: Int64
    package let idleTimeout: Int64
    package let response: HTTPLimits

    package init(connections: Int, connectTimeout: Int64, idleTimeout: Int64, response: HTTPLimits) {
      self.connections = connections
      self.connectTimeout = connectTimeout
      self.idleTimeout = idleTimeout
      self.response = response
    }
  }

  /// `nil` when the wait is over without a place.
  private typealias Waiter = UnsafeContinuation<PoolLease?, Never>

  private let loop: EventLoop
  private var target: PoolTarget
  /// Connections of an earlier one were verified by authorities that are trusted no longer.
  private var generation = 0
  private let limits: Limits
  private let resolver: Resolver
  // Changed on the loop's thread alone, by methods that call nobody back but `removeIdle`, which asks the connections.
  @exclusivity(unchecked) private var machine: PoolMachine<Waiter>
  /// By place; `nil` where there is none.
  private var connections: [PooledConnection?] = []

  /// - Parameter resolver: that of the process.
  package init(target: PoolTarget, limits: Limits, resolver: Resolver, loop: EventLoop) {
    self.loop = loop
    self.target = target
    self.limits = limits
    machine = PoolMachine(limit: limits.connections)
    self.resolver = resolver
  }

  package var idleCount: Int { machine.idleCount }
  package var inUseCount: Int { machine.takenCount }
}

// The exchange.
extension UpstreamPool {
  /// Sends `request` and reads its whole answer by `deadline` (monotonic nanoseconds).
  package func exchange(
    _ request: borrowing ByteBuffer, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage {
    var lease = machine.lease()
    let leased: Leased
    if let ready = connection(for: &lease) {
      leased = ready
    } else {
      leased = try await connect(lease, deadline: deadline)
    }
    do throws(ExchangeFailure) {
      let answer = try await leased.connection.exchange(request, deadline: deadline)
      giveBack(
        leased.place,
        isReusable: answer.head.keepAlive && leased.connection.isReusable
          && leased.connection.generation == generation)
      return answer
    } catch {
      giveBack(leased.place, isReusable: false)
      throw error
    }
  }

  private struct Leased {
    let place: PoolPlace
    let connection: PooledConnection
  }

  /// The connection that is there for `lease`. Dead ones are closed, which changes what there is.
  private func connection(for lease: inout PoolLease) -> Leased? {
    while case .use(let place) = lease {
      if let connection = connections[place], connection.stream.checkIdle() {
        return Leased(place: place, connection: connection)
      }
      disconnect(place)
      lease = machine.replace(place)
    }
    return nil
  }

  /// Waits for a place and opens a connection where there is none.
  private func connect(_ first: PoolLease, deadline: Int64) async throws(ExchangeFailure) -> Leased {
    var lease = first
    if lease == .wait {
      let given = await withUnsafeContinuation { machine.wait($0, until: deadline) }
      guard let given else { throw .timedOut(sent: false) }
      lease = given
    }
    if let ready = connection(for: &lease) { return ready }
    guard case .open(let place) = lease else { throw .notSent(.closed) }
    do throws(TransportError) {
      let connection = try await open(deadline: deadline)
      connect(place, connection)
      return Leased(place: place, connection: connection)
    } catch {
      giveBack(place, isReusable: false)
      if loop.now >= deadline { throw .timedOut(sent: false) }
      throw .notSent(error)
    }
  }

  /// Opens a connection to an address that answers. `connectTimeout` is for all of it: name, connection and TLS.
  private func open(deadline: Int64) async throws(TransportError) -> PooledConnection {
    let (target, generation) = (target, generation)
    let end = min(deadline, loop.now + limits.connectTimeout)
    let stream = try await ByteStream.open(target, by: resolver, on: loop, deadline: end)
    guard generation == self.generation else {
      stream.close()
      throw .closed
    }
    return PooledConnection(stream, limits: limits.response, generation: generation)
  }

  private func giveBack(_ place: PoolPlace, isReusable: Bool) {
    switch machine.release(place, isReusable: isReusable, now: loop.now) {
    case .keep:
      connections[place]?.stream.deadline = .max
    case .close:
      disconnect(place)
    case .handOver(let waiter, let lease):
      if case .open = lease { disconnect(place) }
      waiter.resume(returning: lease)
    }
  }

  private func connect(_ place: PoolPlace, _ connection: PooledConnection) {
    while connections.count <= place { connections.append(nil) }
    connections[place] = connection
  }

  private func disconnect(_ place: PoolPlace) {
    guard place < connections.count, let connection = connections[place] else { return }
    connections[place] = nil
    connection.stream.close()
  }
}

// Housekeeping.
extension UpstreamPool {
  /// Closes what has idled too long or has been closed by the peer. Called by the loop's tick.
  package func sweep() {
    let now = loop.now
    let closed = machine.removeIdle(since: now - limits.idleTimeout) { place in
      connections[place].map { !$0.stream.checkIdle() } ?? true
    }
    closed.forEach(disconnect)
    for waiter in machine.expireWaiters(now: now) { waiter.resume(returning: nil) }
  }

  /// New connections go to `target`. Unless those that there are may be kept, they serve nobody else: idle ones are closed now,
  /// those in use when they come back.
  package func connect(to target: PoolTarget, keepingConnections: Bool) {
    self.target = target
    guard !keepingConnections else { return }
    generation += 1
    machine.removeIdle(since: .max) { _ in true }.forEach(disconnect)
  }

  /// No new use; idle connections are closed, those in use when they come back.
  package func close() {
    let (idle, waiters) = machine.close()
    idle.forEach(disconnect)
    for waiter in waiters { waiter.resume(returning: .refused) }
  }
}
