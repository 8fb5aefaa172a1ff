internal import Admin
internal import Configuration
internal import HTTPWire
internal import Logging
internal import OpenSSLCrypto
internal import Primitives
internal import ServiceManager
internal import Synchronization
internal import Transport

/// The listeners of a gateway and the TLS contexts behind them.
///
/// `@unchecked Sendable`: `listeners` are touched by `open` before the loops run and by `close` on each listener's own
/// loop; contexts and access are behind locks.
final class GatewayListeners: @unchecked Sendable {
  private let contexts: Mutex<[TLSContext?]>
  private let access = Mutex(AdminAccess(token: nil, hosts: []))
  private let snapshot: Snapshot
  private let content = ContentBudget()
  /// By worker.
  private var listeners: [[Listener]] = []
  private var admin: Listener?
  /// Where callers connect.
  private(set) var addresses: [SocketAddress] = []

  init(snapshot: Snapshot) {
    self.snapshot = snapshot
    contexts = Mutex([])
  }

  /// One listener an address and worker, all of them on one port by SO_REUSEPORT, or on one socket that came with the
  /// process.
  func open(
    for server: GatewayServer, inheriting passed: [ServiceVariables.Socket]
  ) throws(TransportError) {
    let configured = snapshot.configuration.listeners
    guard configured.allSatisfy({ $0.tls == nil || $0.tls?.context != nil }) else {
      throw .tls("the TLS files were not loaded")
    }
    contexts.withLock { $0 = configured.map(\.tls?.context) }
    listeners = server.workers.map { _ in [] }
    let inherited = try InheritedSockets(passed, for: snapshot.configuration)
    for (index, listener) in configured.enumerated() {
      var address = try SocketAddress(parsing: listener.address.description)
      for (place, worker) in server.workers.enumerated() {
        let serving = httpServer(worker)
        let socket = try inherited.socket(for: .listener(index), on: address, joining: place > 0)
        let opened = Listener(
          socket, loop: worker.loop,
          ranOut: { worker.shared.connections.ranOut(now: worker.loop.clock.monotonic()) },
          accepted: { [self] in serve($0, with: serving, on: worker, listener: index) })
        address = opened.address
        listeners[place].append(opened)
      }
      server.logger.info(
        "listening",
        metadata: [
          "address": "\(address)", "tls": "\(listener.tls == nil ? "off" : "on")",
          "proxyProtocol": "\(listener.proxyProtocol ? "on" : "off")",
          "socket": "\(inherited.has(.listener(index)) ? "inherited" : "opened")",
        ])
      addresses.append(address)
    }
    try openAdmin(for: server, inherited)
  }

  /// Where each listens and what it speaks TLS with now.
  var openListeners: [(address: SocketAddress, tls: TLSContext?)] {
    contexts.withLock { contexts in zip(addresses, contexts).map { ($0, $1) } }
  }

  /// Each listener on its own loop, as libevent wants it.
  func close(for server: GatewayServer) {
    for (place, worker) in server.workers.enumerated() {
      worker.loop.spawn { [self] in
        listeners[place].forEach { $0.close() }
        if place == 0 { admin?.close() }
      }
    }
  }

  /// For each open listener its context of a reload.
  ///
  /// Listeners themselves change at the next start only. One that the new configuration does not have, or has without
  /// TLS where it had it, keeps what it has: a reload never turns an open port from TLS to plain.
  func prepare(_ snapshot: Snapshot) -> [TLSContext?] {
    let new = snapshot.configuration.listeners
    let running = contexts.withLock { $0 }
    return self.snapshot.configuration.listeners.enumerated().map { index, old in
      guard let place = new.firstIndex(where: { $0.address == old.address }),
        (new[place].tls == nil) == (old.tls == nil)
      else { return running[index] }
      return new[place].tls?.context ?? running[index]
    }
  }

  /// Connections that are accepted from now on use these, and the admin listener asks for the token that there is now. A reload
  /// never takes the token away from an open listener.
  func replace(_ prepared: [TLSContext?], _ admin: GatewayConfiguration.Admin?) {
    contexts.withLock { $0 = prepared }
    guard let admin else { return }
    access.withLock { $0 = AdminAccess(token: admin.token ?? $0.token, hosts: admin.hosts) }
  }

  private func httpServer(_ worker: Worker) -> HTTPServer {
    let (shared, clock) = (worker.shared, worker.loop.clock)
    return HTTPServer(
      handler: worker, limits: ServerLimits(snapshot.configuration.limits), drain: shared.drain,
      loop: worker.loop, content: content,
      unannounced: { shared.connections.unannounced($0, now: clock.monotonic()) },
      ended: { shared.connections.leave($0) })
  }

  private func serve(
    _ accepted: AcceptedConnection, with server: HTTPServer, on worker: Worker, listener index: Int
  ) {
    let (connections, trusted) = (worker.shared.connections, worker.snapshot.configuration.trustedProxies)
    let isProxied = snapshot.configuration.listeners[index].proxyProtocol
    let (peer, now) = (accepted.peer, worker.loop.clock.monotonic())
    let isLetIn =
      isProxied
      ? connections.enter(announced: peer, by: trusted, now: now)
      : connections.enter(peer, trusted: trusted, now: now)
    guard isLetIn else { return accepted.discard() }
    server.accept(accepted, tls: contexts.withLock { $0[index] }, isProxied: isProxied)
  }

  private func openAdmin(
    for server: GatewayServer, _ inherited: InheritedSockets
  ) throws(TransportError) {
    guard let configured = snapshot.configuration.admin else { return }
    let loop = server.workers[0].loop
    let address = try SocketAddress(parsing: configured.address.description)
    access.withLock { $0 = AdminAccess(configured) }
    let handler = AdminHandler(source: server, dashboard: server, drain: server.shared.drain) { [self] in
      access.withLock { $0 }
    }
    let (connections, clock) = (server.shared.connections, server.clock)
    let times = ServerLimits(snapshot.configuration.limits)
    let http = HTTPServer(
      handler: handler, limits: ServerLimits(header: times.header, body: times.body, idle: times.idle),
      drain: server.shared.drain, loop: loop, content: content, ended: { _ in connections.leaveAdmin() })
    let listener = Listener(
      try inherited.socket(for: .admin, on: address), loop: loop,
      ranOut: { connections.ranOut(now: clock.monotonic()) },
      accepted: { accepted in
        guard connections.enterAdmin(now: clock.monotonic()) else { return accepted.discard() }
        http.accept(accepted, tls: nil)
      })
    admin = listener
    server.logger.info(
      "admin listening",
      metadata: [
        "address": "\(listener.address)", "socket": "\(inherited.has(.admin) ? "inherited" : "opened")",
      ])
  }
}

extension AdminAccess {
  fileprivate init(_ admin: GatewayConfiguration.Admin) { self.init(token: admin.token, hosts: admin.hosts) }
}

extension ServerLimits {
  fileprivate init(_ limits: GatewayConfiguration.Limits) {
    self.init(
      http: HTTPLimits(headerBytes: limits.headerBytes, bodyBytes: limits.bodyBytes),
      header: limits.headerTimeout.nanoseconds, body: limits.bodyTimeout.nanoseconds,
      idle: limits.idleTimeout.nanoseconds)
  }
}
