internal import Foundation
package import Primitives
package import Transport

/// The machine's clocks.
package struct RunningClock: TimeSource {
  package init() {}

  package func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds))
  }
  package func wallClock() -> WallClockTime {
    WallClockTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
  }
}

/// A loop on a thread of its own, ended with the harness.
package final class LoopHarness: Sendable {
  package let loop: EventLoop

  package init() throws {
    let loop = try EventLoop(clock: RunningClock())
    self.loop = loop
    Thread.detachNewThread { loop.run() }
  }

  deinit {
    let loop = loop
    loop.spawn { loop.stop() }
  }

  /// Runs `body` on the loop and gives back what it returned or threw.
  package func run<Value: Sendable>(
    _ body: @Sendable @escaping (EventLoop) async throws -> Value
  ) async throws -> Value {
    let loop = loop
    return try await withCheckedThrowingContinuation { continuation in
      loop.spawn {
        do {
          continuation.resume(returning: try await body(loop))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}
