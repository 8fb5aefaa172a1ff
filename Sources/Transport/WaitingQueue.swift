/// Tasks of one loop that wait their turn, the longest first, each with a deadline.
final class WaitingQueue {
  private struct Waiter {
    let deadline: Int64
    let continuation: UnsafeContinuation<Bool, Never>
  }

  private var waiters: [Waiter] = []

  /// Suspends until woken (`true`), or until `expire` finds that `deadline` has passed (`false`).
  func wait(until deadline: Int64) async -> Bool {
    await withUnsafeContinuation { waiters.append(Waiter(deadline: deadline, continuation: $0)) }
  }

  /// `false` when nobody waits.
  func wakeFirst() -> Bool {
    guard !waiters.isEmpty else { return false }
    waiters.removeFirst().continuation.resume(returning: true)
    return true
  }

  func expire(before now: Int64) {
    let late = waiters.filter { $0.deadline <= now }
    guard !late.isEmpty else { return }
    waiters.removeAll { $0.deadline <= now }
    for waiter in late { waiter.continuation.resume(returning: false) }
  }
}
