internal import Admin
internal import Logging
internal import Primitives
package import ServiceManager
internal import Synchronization
internal import Transport

/// What a service manager gave to the process, and where it wants to be told what.
package struct ServiceContext: Sendable {
  let notifier: ServiceNotifier?
  /// Nanoseconds.
  let watchdog: Int64?
  let sockets: [ServiceVariables.Socket]

  package init(_ variables: ServiceVariables) throws(ServiceFault) {
    if let path = variables.notifySocket {
      notifier = try ServiceNotifier(socket: path)
    } else {
      notifier = nil
    }
    watchdog = variables.watchdog
    sockets = variables.sockets
  }

  private init() {
    (notifier, watchdog, sockets) = (nil, nil, [])
  }

  /// Nobody's service.
  package static let none = ServiceContext()
}

extension GatewayServer {
  func tell(_ message: ServiceMessage) {
    do throws(ServiceFault) {
      try service.notifier?.tell(message)
    } catch {
      // The next sign of life may get through.
      guard message != .alive else { return }
      logger.warning("the service manager cannot be told", metadata: ["problem": "\(error)"])
    }
  }

  /// Signs of life for as long as every loop turns.
  func superviseLoops() {
    guard let timeout = service.watchdog, service.notifier != nil else { return }
    let watchdog = SharedWatchdog(
      LoopWatchdog(timeout: timeout, loops: workers.count, now: clock.monotonic()))
    for (place, worker) in workers.enumerated() {
      worker.loop.spawn { [self] in
        worker.loop.onTick { [self] in
          if watchdog.turned(place, now: clock.monotonic()) { tell(.alive) }
        }
      }
    }
  }

  /// One line about where it serves, and what is in the way.
  func serviceStatus(after reload: ReloadResult? = nil) -> String {
    let addresses = listeners.addresses.map(\.description).joined(separator: ", ")
    let missing = readiness().filter { !$0.isReady }.map { "; not ready: \($0.name): \($0.detail)" }
    var failure = ""
    if case .failed = reload { failure = "; the last reload failed" }
    return "Serving on \(addresses) with policies \(workers[0].snapshot.policyRevision.string)"
      + missing.joined() + failure
  }
}

/// One for all loops.
private final class SharedWatchdog: Sendable {
  private let state: Mutex<LoopWatchdog>

  init(_ watchdog: LoopWatchdog) { state = Mutex(watchdog) }

  func turned(_ loop: Int, now: MonotonicInstant) -> Bool {
    state.withLock { $0.turned(loop, now: now) }
  }
}
