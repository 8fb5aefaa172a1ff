import Gateway
import Synchronization
import Transport

/// For commands that call others over the network.
enum LoopTask {
  /// The loop was stopped before its task had ended, as a signal does it.
  enum Interruption: Error { case stopped }

  /// Runs `operation` on an event loop, which becomes the calling thread's until it ends.
  static func run<Value: Sendable>(
    _ operation: @escaping @Sendable (EventLoop) async throws(CommandFailure) -> Value
  ) throws -> Value {
    let loop = try EventLoop(clock: SystemClock())
    let outcome = Outcome<Value>()
    loop.spawn {
      do throws(CommandFailure) {
        outcome.set(.success(try await operation(loop)))
      } catch {
        outcome.set(.failure(error))
      }
      loop.stop()
    }
    loop.run()
    return try outcome.get()
  }

  /// How the task on the loop ended.
  private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, CommandFailure>?>(nil)

    func set(_ new: Result<Value, CommandFailure>) { result.withLock { $0 = new } }

    func get() throws -> Value {
      guard let result = result.withLock({ $0 }) else { throw Interruption.stopped }
      return try result.get()
    }
  }
}
