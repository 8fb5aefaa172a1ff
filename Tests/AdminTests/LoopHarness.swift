import Foundation
import Primitives
import Transport

private struct TestClock: TimeSource {
  func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds))
  }
  func wallClock() -> WallClockTime {
    WallClockTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
  }
}

/// A loop on a thread of its own, ended with the harness.
final class LoopHarness: Sendable {
  private let loop: EventLoop

  init() throws {
    let loop = try EventLoop(clock: TestClock())
    self.loop = loop
    Thread.detachNewThread { loop.run() }
  }

  deinit {
    let loop = loop
    loop.spawn { loop.stop() }
  }

  /// Runs `body` on the loop and gives back what it returned or threw.
  func run<Value: Sendable>(_ body: @Sendable @escaping (EventLoop) async throws -> Value) async throws
    -> Value
  {
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
