internal import Dispatch

/// GRDB's queues are Dispatch's, and Dispatch ends the process when it finds no descriptors for what it keeps. It looks
/// for them at the first event that it is to wait for, which may come when there are none left.
package enum DispatchThreads {
  /// Makes Dispatch open what it keeps, while there are descriptors. Returns when it has.
  package static func prepare() {
    let isReady = DispatchSemaphore(value: 0)
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.setEventHandler { isReady.signal() }
    timer.schedule(deadline: .now())
    timer.activate()
    isReady.wait()
    timer.cancel()
  }
}
