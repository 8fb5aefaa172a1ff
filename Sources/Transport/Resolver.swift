package import Primitives
internal import Synchronization
internal import Threads

/// Names to addresses for all loops of a process, by the system's own resolver on threads that nobody waits for.
///
/// That resolver can be neither given a deadline nor interrupted, so whoever asks waits for as long as he can, and the
/// lookup is left to itself; what it finds serves the next one who asks. There are never more than a few of them
/// (`NameTable`), and the end of the process does not wait for them.
package final class Resolver: Sendable {
  private let table = Mutex(NameTable<NameWaiter>())
  private let lookUp: @Sendable (String) -> Result<[SocketAddress.Host], NameFailure>

  package convenience init() { self.init(NameLookup.run) }

  /// - Parameter lookUp: asks, and may block.
  init(_ lookUp: @escaping @Sendable (String) -> Result<[SocketAddress.Host], NameFailure>) {
    self.lookUp = lookUp
  }

  /// The addresses of `host` (a literal or a name), in the order to try, by `deadline` (monotonic nanoseconds).
  package func resolve(
    _ host: String, port: UInt16, on loop: EventLoop, deadline: Int64
  ) async throws(TransportError) -> [SocketAddress] {
    let hosts: [SocketAddress.Host]
    if let known = NameLookup.known(host) {
      hosts = known
    } else {
      hosts = try await ask(host, on: loop, deadline: deadline)
    }
    return hosts.map { SocketAddress(host: $0, port: port) }
  }

  /// Asks for `host` before anybody needs it, if it is a name.
  package func prepare(_ host: String, clock: any TimeSource) {
    guard NameLookup.known(host) == nil else { return }
    let now = clock.monotonic().nanoseconds
    let step = table.withLock { $0.ask(host, now: now, NameWaiter.init) }
    if step.begins { begin(host, clock: clock, now: now) }
    // Nobody waits for it here.
    if case .wait(let ticket) = step.verdict { table.withLock { $0.leave(ticket) } }
  }

  private func ask(
    _ host: String, on loop: EventLoop, deadline: Int64
  ) async throws(TransportError) -> [SocketAddress.Host] {
    let now = loop.clock.monotonic().nanoseconds
    var waiter: NameWaiter?
    let (step, old) = table.withLock { table in
      let step = table.ask(host, now: now) {
        let made = NameWaiter()
        waiter = made
        return made
      }
      return (step, table.known(host))
    }
    if step.begins { begin(host, clock: loop.clock, now: now) }
    switch step.verdict {
    case .use(let hosts): return hosts
    case .failed(let failure): throw .resolution(host: host, reason: failure.reason)
    case .wait(let ticket):
      guard let waiter else { throw .resolution(host: host, reason: "nobody to wait") }
      let patience = old == nil ? .max : NameTable<NameWaiter>.patienceWithAnOldAnswer
      let result = await waiter.result(on: loop, within: min(deadline - now, patience))
      table.withLock { $0.leave(ticket) }
      switch result {
      case .success(let hosts): return hosts
      case .failure(let failure): throw .resolution(host: host, reason: failure.reason)
      case nil:
        if let old { return old }
        throw .resolution(host: host, reason: "the name servers have not answered in time")
      }
    }
  }

  private func begin(_ host: String, clock: any TimeSource, now: Int64) {
    let work: @Sendable () -> Void = { [self] in
      ended(host, lookUp(host), begun: now, now: clock.monotonic().nanoseconds)
    }
    do throws(ThreadFault) {
      try PosixThread(work).abandon()
    } catch {
      ended(host, .failure(.unavailable("no thread to ask on: \(error)")), begun: now, now: now)
    }
  }

  private func ended(
    _ host: String, _ result: Result<[SocketAddress.Host], NameFailure>, begun: Int64, now: Int64
  ) {
    let (told, outcome) = table.withLock { $0.ended(host, result, begun: begun, now: now) }
    for waiter in told { waiter.finish(outcome) }
  }
}

private typealias NameWaiter = LoopWaiter<Result<[SocketAddress.Host], NameFailure>>
