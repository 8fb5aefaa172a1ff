/// The number of a place in a pool. Its connection, if it has one, is the pool's to find.
typealias PoolPlace = Int

/// What an exchange that asks a pool for a connection gets.
enum PoolLease: Equatable, Sendable {
  /// The idle connection of this place. One that turns out to be dead is closed, and `replace` asked.
  case use(PoolPlace)
  /// This place, which has no connection: open one.
  case open(PoolPlace)
  /// Nothing now: `wait`.
  case wait
  /// The pool is closed.
  case refused
}

/// The upstream pool's decisions without its sockets: who gets which connection, who waits, what is closed.
///
/// A pool has so many places. A place is empty, or holds a connection that is in use (or being opened, or promised) by one
/// exchange, or holds an idle one. Who finds no place waits, the longest first, and is given the place of whoever leaves.
/// Idle connections are used the latest first, so that those which a quieter time leaves over grow old and are closed.
///
/// It changes only by its methods, each of which says what is to be done as a value; `UpstreamPool` does it.
struct PoolMachine<Waiter> {
  /// What a place is; `Waiter` has no part in it, since all who wait do so while every place is taken.
  private enum Use: Equatable {
    /// No connection; next `taken`.
    case empty
    /// An exchange has it, with or without a connection yet; next `idle` or `empty`, or `taken` by a waiter.
    case taken
    /// A connection that nobody uses, since when (monotonic nanoseconds); next `taken` or `empty`.
    case idle(since: Int64)
  }

  /// What becomes of a place that was given back.
  enum Release {
    /// Its connection stays for the next exchange.
    case keep
    /// Its connection, if it has one, is to be closed.
    case close
    /// It is this waiter's now. With `.use` it takes the connection as well, otherwise that is to be closed first.
    case handOver(Waiter, PoolLease)
  }

  private var uses: [Use] = []
  private let limit: Int
  /// Places with idle connections, the latest last.
  private var idle: [PoolPlace] = []
  /// Places in `uses` that are empty.
  private var empty: [PoolPlace] = []
  private var waiters = WaitingLine<Waiter>()
  private(set) var isClosed = false

  init(limit: Int) { self.limit = limit }

  var idleCount: Int { idle.count }
  var takenCount: Int { uses.count - idle.count - empty.count }
  var waiterCount: Int { waiters.count }

  /// An exchange asks for a connection.
  mutating func lease() -> PoolLease {
    guard !isClosed else { return .refused }
    if let place = idle.popLast() {
      uses[place] = .taken
      return .use(place)
    }
    if let place = empty.popLast() {
      uses[place] = .taken
      return .open(place)
    }
    guard uses.count < limit else { return .wait }
    uses.append(.taken)
    return .open(uses.count - 1)
  }

  /// An exchange that was told to wait does so until `deadline`.
  mutating func wait(_ waiter: Waiter, until deadline: Int64) { waiters.append(waiter, until: deadline) }

  /// The connection of `place` was dead when it was to be used, and is closed: another idle one, or the place to open one.
  mutating func replace(_ place: PoolPlace) -> PoolLease {
    precondition(uses[place] == .taken, "replacing a connection that nobody uses")
    guard !isClosed else {
      vacate(place)
      return .refused
    }
    guard let other = idle.popLast() else { return .open(place) }
    vacate(place)
    uses[other] = .taken
    return .use(other)
  }

  /// An exchange is over. `isReusable` says whether the place has a connection that another one can use.
  mutating func release(_ place: PoolPlace, isReusable: Bool, now: Int64) -> Release {
    precondition(uses[place] == .taken, "giving back what nobody uses")
    if let waiter = waiters.popFirst() {
      return .handOver(waiter, isReusable ? .use(place) : .open(place))
    }
    guard isReusable, !isClosed else {
      vacate(place)
      return .close
    }
    uses[place] = .idle(since: now)
    idle.append(place)
    return .keep
  }

  /// Takes out the idle connections that have idled since before `oldest` or that `isDead`. They are to be closed.
  mutating func removeIdle(since oldest: Int64, or isDead: (PoolPlace) -> Bool) -> [PoolPlace] {
    var removed: [PoolPlace] = []
    for place in idle {
      if case .idle(let since) = uses[place], since < oldest || isDead(place) { removed.append(place) }
    }
    guard !removed.isEmpty else { return [] }
    idle.removeAll { removed.contains($0) }
    for place in removed { vacate(place) }
    return removed
  }

  /// Takes out who has waited until his deadline. They are to be told.
  mutating func expireWaiters(now: Int64) -> [Waiter] { waiters.removeExpired(now: now) }

  /// Lends nothing from now on. The idle connections are to be closed and the waiters refused; who has a connection keeps
  /// it until he gives it back.
  mutating func close() -> (idle: [PoolPlace], waiters: [Waiter]) {
    isClosed = true
    let closed = idle
    idle.removeAll()
    for place in closed { vacate(place) }
    return (closed, waiters.removeAll())
  }

  private mutating func vacate(_ place: PoolPlace) {
    uses[place] = .empty
    empty.append(place)
  }
}

/// Who waits, the longest first.
private struct WaitingLine<Waiter> {
  private var entries: [(waiter: Waiter, deadline: Int64)] = []
  /// Those before it have left; they are dropped many at a time.
  private var first = 0

  var count: Int { entries.count - first }

  mutating func append(_ waiter: Waiter, until deadline: Int64) { entries.append((waiter, deadline)) }

  mutating func popFirst() -> Waiter? {
    guard first < entries.count else { return nil }
    let waiter = entries[first].waiter
    first += 1
    if first > 32, first > entries.count / 2 {
      entries.removeFirst(first)
      first = 0
    }
    return waiter
  }

  mutating func removeExpired(now: Int64) -> [Waiter] {
    let rest = entries[first...]
    guard rest.contains(where: { $0.deadline <= now }) else { return [] }
    let expired = rest.filter { $0.deadline <= now }
    entries = rest.filter { $0.deadline > now }
    first = 0
    return expired.map(\.waiter)
  }

  mutating func removeAll() -> [Waiter] {
    defer {
      entries = []
      first = 0
    }
    return entries[first...].map(\.waiter)
  }
}
