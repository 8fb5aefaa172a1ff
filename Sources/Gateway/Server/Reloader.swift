internal import AuditStore
internal import Configuration
internal import Admin
package import Primitives
internal import Synchronization
internal import Transport
internal import Threads

/// Loads the configuration anew, one load after another, off the loops, and remembers how it went.
package final class Reloader: Sendable {
  struct History: Sendable {
    var lastSuccess: WallClockTime
    var failures = 0
  }

  /// What one who waits for a reload is told.
  private enum Word: Sendable {
    /// To make the next one.
    case yourTurn
    case done(ReloadResult)
  }

  private typealias Waiter = UnsafeContinuation<Word, Never>

  private let loadNow: @Sendable () -> SnapshotLoad
  private let history: Mutex<History>
  private let queue = Mutex(ReloadQueue<Waiter>())

  package init(startedAt: WallClockTime, load: @escaping @Sendable () -> SnapshotLoad) {
    loadNow = load
    history = Mutex(History(lastSuccess: startedAt))
  }

  var current: History { history.withLock { $0 } }
  func succeeded(at time: WallClockTime) { history.withLock { $0.lastSuccess = time } }
  func failed() { history.withLock { $0.failures += 1 } }

  /// Makes a reload when no other is made, or takes part in one that begins after this call.
  /// - Parameter reload: loads, and puts what was loaded in force.
  func inTurn(_ reload: () async -> ReloadResult) async -> ReloadResult {
    let word = await withUnsafeContinuation { waiter in
      if queue.withLock({ $0.ask(waiter) }) { waiter.resume(returning: .yourTurn) }
    }
    switch word {
    case .done(let result): return result
    case .yourTurn:
      let result = await reload()
      let finished = queue.withLock { $0.finish() }
      for waiter in finished.told { waiter.resume(returning: .done(result)) }
      finished.next?.resume(returning: .yourTurn)
      return result
    }
  }

  /// Files are read and policies compiled on a thread of their own: requests go on meanwhile.
  func load() async -> SnapshotLoad {
    await withUnsafeContinuation { continuation in
      let work: @Sendable () -> Void = { [loadNow] in continuation.resume(returning: loadNow()) }
      // Without a thread it is done here, and requests wait.
      if let thread = try? PosixThread(work) { thread.abandon() } else { work() }
    }
  }
}
