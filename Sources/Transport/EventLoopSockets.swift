internal import CLibevent
internal import Glibc

/// Whoever takes a loop's steps in its place, one by one and in a time of its own: a simulation of many parts on one
/// thread. Sockets do not work on such a loop.
package protocol LoopDriver: AnyObject {
  /// Calls `body` when so many nanoseconds have passed.
  func call(after nanoseconds: Int64, _ body: @escaping () -> Void)
}

/// The loop's open sockets, and its clockwork.
extension EventLoop {
  func register(_ socket: Socket) {
    assertOnLoop()
    socket.registryIndex = sockets.count
    sockets.append(socket)
  }

  func unregister(_ socket: Socket) {
    let index = socket.registryIndex
    let last = sockets.removeLast()
    if index < sockets.count {
      sockets[index] = last
      last.registryIndex = index
    }
  }

  package var openSockets: Int { sockets.count }

  /// Wakes every task that waits on an interruptible socket (an idle keep-alive connection): they see `.interrupted`.
  package func interruptIdleSockets() {
    assertOnLoop()
    // Waking an idle socket may close it, which changes the list.
    for socket in sockets where socket.isInterruptible || socket.isParked {
      socket.resume(.interrupted)
    }
  }

  /// Calls `handler` about twenty times a second, for housekeeping that need not be exact.
  package func onTick(_ handler: @escaping () -> Void) {
    assertOnLoop()
    tickHandlers.append(handler)
  }

  /// Wakes whoever has waited until his deadline, and lets go of the tasks of connections that idle.
  func wakeLateSockets() {
    let now = now
    for socket in sockets {
      if socket.deadline <= now {
        socket.resume(.timedOut)
      } else if socket.isInterruptible, socket.parkableAt <= now, !socket.isParked {
        socket.resume(.parkable)
      }
    }
  }

  /// Suspends the calling task for about `nanoseconds`.
  package func sleep(nanoseconds: Int64) async {
    await withUnsafeContinuation { continuation in
      call(after: nanoseconds) { continuation.resume() }
    }
  }

  /// Calls `body` on the loop in about `nanoseconds`. Call it on the loop.
  package func call(after nanoseconds: Int64, _ body: @escaping () -> Void) {
    if let driver { return driver.call(after: nanoseconds, body) }
    let context = Unmanaged.passRetained(TimedCall(body)).toOpaque()
    let wait = max(0, nanoseconds)
    var delay = timeval(tv_sec: Int(wait / 1_000_000_000), tv_usec: Int(wait % 1_000_000_000 / 1000))
    let status = event_base_once(
      base, -1, Int16(EV_TIMEOUT),
      { _, _, context in
        guard let context else { return }
        Unmanaged<TimedCall>.fromOpaque(context).takeRetainedValue().body()
      }, context, &delay)
    precondition(status == 0, "libevent refused a timer")
  }
}

private final class TimedCall {
  let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
}
