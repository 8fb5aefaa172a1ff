internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Synchronization
internal import Transport

/// Which connections are taken: so many in all, so many from one source, and so many of operators. What is beyond is
/// closed unanswered, since who sends more than that is not to cost more than that.
final class ConnectionGate: Sendable {
  /// What kept a connection out.
  enum Limit: String, CaseIterable, Sendable {
    /// No PROXY header that holds, or not from a trusted proxy, where there has to be one.
    case proxyProtocol
    case connections, connectionsPerSource, descriptors
    case admin = "admin.connections"
  }

  struct Limits: Sendable, Equatable {
    var connections: Int
    var perSource: Int
    var admin: Int
  }

  enum Event: Sendable {
    /// The first of perhaps many.
    case refusing(Limit, source: String?)
    case accepting(Limit, refused: Int, after: Int64)
  }

  let limits: Limits
  private let callers = Atomic(0)
  private let operators = Atomic(0)
  private let sources = SourceConnections()
  private let refusals = Mutex([Limit: RefusalEpisode]())
  private let report: @Sendable (Event) -> Void

  /// - Parameter report: called from any loop; it must not wait.
  init(_ limits: Limits, report: @escaping @Sendable (Event) -> Void = { _ in }) {
    self.limits = limits
    self.report = report
  }

  /// Open connections of callers.
  var open: Int { callers.load(ordering: .relaxed) }

  /// A caller's connection; `leave` follows when it is let in and over.
  /// - Parameter trusted: proxies, behind each of which are many sources.
  func enter(_ peer: SocketAddress, trusted: [AddressBlock], now: MonotonicInstant) -> Bool {
    guard callers.add(1, ordering: .relaxed).newValue <= limits.connections else {
      callers.subtract(1, ordering: .relaxed)
      refused(by: .connections, peer: nil, now: now)
      return false
    }
    if sources.enter(peer.sourceKey, limit: limits.perSource) { return true }
    if !trusted.isEmpty, peer.isTrusted(trusted) { return true }
    leave(peer)
    refused(by: .connectionsPerSource, peer: peer, now: now)
    return false
  }

  /// A connection to a listener that trusted proxies alone may use, and they with a PROXY header.
  func enter(
    announced peer: SocketAddress, by trusted: [AddressBlock], now: MonotonicInstant
  ) -> Bool {
    guard peer.isTrusted(trusted) else {
      unannounced(peer, now: now)
      return false
    }
    return enter(peer, trusted: trusted, now: now)
  }

  /// A connection that did not begin with the PROXY header that it has to have.
  func unannounced(_ peer: SocketAddress, now: MonotonicInstant) {
    refused(by: .proxyProtocol, peer: peer, now: now)
  }

  func leave(_ peer: SocketAddress) {
    sources.leave(peer.sourceKey)
    callers.subtract(1, ordering: .relaxed)
  }

  /// An operator's connection.
  func enterAdmin(now: MonotonicInstant) -> Bool {
    if operators.add(1, ordering: .relaxed).newValue <= limits.admin { return true }
    leaveAdmin()
    refused(by: .admin, peer: nil, now: now)
    return false
  }

  func leaveAdmin() { operators.subtract(1, ordering: .relaxed) }

  /// A connection that could not be taken from the system for want of descriptors or memory.
  func ranOut(now: MonotonicInstant) { refused(by: .descriptors, peer: nil, now: now) }

  /// To be called now and then: what has stopped is told.
  func check(now: MonotonicInstant) {
    let ended: [(limit: Limit, refused: Int, time: Int64)] = refusals.withLock { refusals in
      // Nearly always.
      if refusals.isEmpty { return [] }
      return Limit.allCases.compactMap { limit in
        refusals[limit]?.end(now: now).map { (limit: limit, refused: $0.refused, time: $0.nanoseconds) }
      }
    }
    for end in ended { report(.accepting(end.limit, refused: end.refused, after: end.time)) }
  }

  /// Refused connections since the start.
  var refused: [Limit: Int] { refusals.withLock { $0.mapValues(\.total) } }

  private func refused(by limit: Limit, peer: SocketAddress?, now: MonotonicInstant) {
    let begins = refusals.withLock { $0[limit, default: RefusalEpisode()].count(now: now) }
    if begins { report(.refusing(limit, source: peer.map { $0.hostText.string })) }
  }
}

/// Refusals that follow one another closely are one episode, which is told when it begins and when it has ended.
struct RefusalEpisode: Sendable {
  private(set) var total = 0
  private var current: (begun: MonotonicInstant, last: MonotonicInstant, refused: Int)?

  /// Nanoseconds without a refusal after which it is over.
  static let quiet: Int64 = 10_000_000_000

  /// - Returns: whether an episode begins with it.
  mutating func count(now: MonotonicInstant) -> Bool {
    total += 1
    let begins = current == nil
    current = (current?.begun ?? now, now, (current?.refused ?? 0) + 1)
    return begins
  }

  /// What an episode that is over came to.
  mutating func end(now: MonotonicInstant) -> (refused: Int, nanoseconds: Int64)? {
    guard let episode = current, now.nanoseconds(since: episode.last) >= Self.quiet else { return nil }
    current = nil
    return (episode.refused, episode.last.nanoseconds(since: episode.begun))
  }
}

extension SocketAddress {
  fileprivate var sourceKey: SourceKey {
    switch host {
    case .v4(let bits): .v4(bits)
    case .v6(let high, let low, _): .v6(high: high, low: low)
    }
  }

  fileprivate func isTrusted(_ trusted: [AddressBlock]) -> Bool {
    let address: IPAddress =
      switch host {
      case .v4(let bits): IPAddress(ipv4: bits)
      case .v6(let high, let low, _): IPAddress(high: high, low: low)
      }
    return trusted.contains { $0.contains(address) }
  }
}
