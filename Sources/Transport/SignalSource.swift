internal import CLibevent
internal import Glibc

/// Delivers signals on a loop. One loop of a process may have them.
package final class SignalSource {
  private var events: [OpaquePointer] = []
  private let handler: (Int32) -> Void

  package init(_ signals: [Int32], on loop: EventLoop, handler: @escaping (Int32) -> Void) {
    self.handler = handler
    for number in signals {
      let event = event_new(
        loop.base, number, Int16(EV_SIGNAL | EV_PERSIST),
        { number, _, context in
          guard let context else { return }
          Unmanaged<SignalSource>.fromOpaque(context).takeUnretainedValue().handler(number)
        }, Unmanaged.passUnretained(self).toOpaque())
      if let event {
        event_add(event, nil)
        events.append(event)
      }
    }
    // Those that came before are delivered now.
    HeldSignals.release(signals)
  }

  deinit { events.forEach { event_free($0) } }
}

/// Signals that come before anybody can carry them out.
package enum HeldSignals {
  /// Keeps `signals` waiting, for this thread and those that it makes from now on.
  package static func hold(_ signals: [Int32]) { change(SIG_BLOCK, signals) }

  /// Lets those that wait, and those to come, through to this thread.
  package static func release(_ signals: [Int32]) { change(SIG_UNBLOCK, signals) }

  /// A peer that went away is an error of the write from now on, not the end of the process.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  private static func change(_ how: Int32, _ signals: [Int32]) {
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals { sigaddset(&set, number) }
    pthread_sigmask(how, &set, nil)
  }
}
