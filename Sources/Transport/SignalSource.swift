internal import CLibevent
internal import Glibc

/// Delivers signals on a loop. One loop of a process may have them.
package final class SignalSource {
  private var events: [OpaquePointer] = []
  private let handler: (Int32) -> Void

  package init(_ signals: [Int32], on loop: EventLoop, handler: @escaping (Int32) -> Void) {
    self.handler = handler
    // A peer that went away is an error of the write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
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
  }

  deinit { events.forEach { event_free($0) } }
}
