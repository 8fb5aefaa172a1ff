internal import Glibc

/// What one thread waits for and others signal. A signal that nobody waits for is kept for the next wait.
///
/// `@unchecked Sendable`: `isSignalled` is only touched with `mutex` held, and the pointers never change.
package final class ThreadEvent: @unchecked Sendable {
  // POSIX wants them at an address that does not change.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isSignalled = false

  package init() {
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // Not the wall clock, which may be set back while somebody waits.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  package func signal() {
    pthread_mutex_lock(mutex)
    isSignalled = true
    pthread_mutex_unlock(mutex)
    // After the unlock, so that the woken thread does not wait for it at once.
    pthread_cond_signal(condition)
  }

  /// - Parameter nanoseconds: how long to wait at most; `nil`: until it is signalled.
  /// - Returns: whether it was signalled.
  package func wait(nanoseconds: Int64?) -> Bool {
    var deadline = timespec()
    if let nanoseconds {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      let end = Int64(deadline.tv_nsec) + nanoseconds
      deadline.tv_sec += Int(end / 1_000_000_000)
      deadline.tv_nsec = Int(end % 1_000_000_000)
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isSignalled {
      if nanoseconds == nil {
        pthread_cond_wait(condition, mutex)
      } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        break
      }
    }
    defer { isSignalled = false }
    return isSignalled
  }
}
