internal import Configuration
package import Primitives
internal import Synchronization
internal import Transport

/// Loads the configuration anew, off the loops, and remembers how it went.
package final class Reloader: Sendable {
  struct History: Sendable {
    var lastSuccess: WallClockTime
    var failures = 0
  }

  private let loadNow: @Sendable () -> SnapshotLoad
  private let history: Mutex<History>

  package init(startedAt: WallClockTime, load: @escaping @Sendable () -> SnapshotLoad) {
    loadNow = load
    history = Mutex(History(lastSuccess: startedAt))
  }

  var current: History { history.withLock { $0 } }
  func succeeded(at time: WallClockTime) { history.withLock { $0.lastSuccess = time } }
  func failed() { history.withLock { $0.failures += 1 } }

  /// Files are read and policies compiled on a thread of their own: requests go on meanwhile.
  func load(on loop: EventLoop) async -> SnapshotLoad {
    await withUnsafeContinuation { continuation in
      _ = startThread(named: "reload") { [loadNow] in continuation.resume(returning: loadNow()) }
    }
  }
}

extension GatewayConfiguration {
  /// The keys whose change a running process cannot take over.
  func keysThatNeedRestart(since running: GatewayConfiguration) -> [String] {
    var keys: [String] = []
    if listeners.map(\.address) != running.listeners.map(\.address) { keys.append("listeners") }
    if admin?.address != running.admin?.address { keys.append("admin.address") }
    if upstream.endpoint != running.upstream.endpoint { keys.append("upstream.endpoint") }
    if audit.directory.path != running.audit.directory.path { keys.append("audit.directory") }
    if audit.durability != running.audit.durability { keys.append("audit.durability") }
    if workers != running.workers { keys.append("workers") }
    return keys
  }
}
