internal import Glibc

/// A thread of its own, for what runs as long as the process or spends most of its time waiting for the disk. Whoever
/// makes one calls `join` or `abandon`, once.
package final class PosixThread: Sendable {
  private let handle: pthread_t

  /// - Throws: `errno` when the system has no thread to give.
  package init(_ body: sending @escaping () -> Void) throws(ThreadFault) {
    let context = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw ThreadFault(code: code)
    }
    handle = thread
  }

  /// Returns when the thread has ended.
  package func join() { pthread_join(handle, nil) }

  /// Leaves it to itself, until the process ends.
  package func abandon() { pthread_detach(handle) }

  /// Lowers the priority of the calling thread: from then on it gets about a tenth of a processor that others want.
  package static func giveWay() {
    // On Linux it is the calling thread's alone.
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
  }

  private final class Body {
    let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }
  }
}

/// No thread could be made.
package struct ThreadFault: Error {
  package let code: Int32
}
