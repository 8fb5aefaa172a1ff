internal import CGlibc
internal import Glibc
internal import Synchronization

/// What one thread waits for and others signal. A signal that nobody waits for is kept for the next wait.
///
/// A semaphore, because it asks the kernel once a wait: a condition variable takes its mutex as contended when it wakes,
/// and so asks once more when it lets go.
///
/// `@unchecked Sendable`: the pointer never changes, and semaphores are made for many threads.
package final class ThreadEvent: @unchecked Sendable {
  // POSIX wants it at an address that does not change.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  /// Whether the semaphore was raised since the last wait that it ended.
  private let isSignalled = Atomic(false)

  package init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  package func signal() {
    guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    sem_post(semaphore)
  }

  /// - Parameter nanoseconds: how long to wait at most; `nil`: until it is signalled.
  /// - Returns: whether it was signalled.
  package func wait(nanoseconds: Int64?) -> Bool {
    guard let nanoseconds else {
      while sem_wait(semaphore) != 0 {}
      return takeSignal()
    }
    var deadline = timespec()
    // Not the wall clock, which may be set back while somebody waits.
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    let (end, isTooLate) = Int64(deadline.tv_nsec).addingReportingOverflow(nanoseconds)
    guard !isTooLate else { return wait(nanoseconds: nil) }
    deadline.tv_sec += Int(end / 1_000_000_000)
    deadline.tv_nsec = Int(end % 1_000_000_000)
    while gh_sem_wait_until(semaphore, &deadline) != 0 {
      // Anything else than a signal handler that ran means that the time is up.
      if errno != EINTR { return false }
    }
    return takeSignal()
  }

  /// After the exchange the caller sees what any thread did before a signal that this one swallowed.
  private func takeSignal() -> Bool { isSignalled.exchange(false, ordering: .acquiringAndReleasing) }
}
