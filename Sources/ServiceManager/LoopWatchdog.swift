package import Primitives

/// When a service manager that watches the process is given a sign of life: at half the time that it waits, and only when
/// every loop has turned since the last sign. One that hangs keeps all signs back.
package struct LoopWatchdog: Sendable {
  private let interval: Int64
  private var hasTurned: [Bool]
  private var lastSign: MonotonicInstant

  /// - Parameter timeout: nanoseconds without a sign after which the process is taken for dead.
  package init(timeout: Int64, loops: Int, now: MonotonicInstant) {
    interval = timeout / 2
    hasTurned = Array(repeating: false, count: loops)
    lastSign = now
  }

  /// To be called by each loop several times an interval.
  /// - Returns: whether a sign is to be given now.
  package mutating func turned(_ loop: Int, now: MonotonicInstant) -> Bool {
    hasTurned[loop] = true
    guard now.nanoseconds(since: lastSign) >= interval, hasTurned.allSatisfy({ $0 }) else { return false }
    lastSign = now
    for index in hasTurned.indices { hasTurned[index] = false }
    return true
  }
}
