import ArgumentParser
import Gateway
import Synchronization
import Transport

/// Sandbox, gateway and a few calls, on this machine and without an account.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run a sandbox and a gateway in a temporary folder, and show what becomes of a few calls.")

  @Flag(help: "Exit after the calls: with 0 if everything went as expected, or else with 1.")
  var once = false
  @Option(help: "Folder of the policies to use.")
  var policies = "policies"

  func run() throws {
    let loop = try EventLoop(clock: SystemClock())
    let outcome = Outcome()
    loop.spawn { [policies, once] in
      do throws(CommandFailure) {
        let isAsExpected = try await Demo(policies: policies, loop: loop).play(stays: !once)
        outcome.set(.success(isAsExpected))
      } catch {
        outcome.set(.failure(error))
      }
      loop.stop()
    }
    loop.run()
    guard try outcome.get() else { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  /// How the task on the loop ended.
  private final class Outcome: Sendable {
    private let result = Mutex<Result<Bool, CommandFailure>>(.success(false))

    func set(_ new: Result<Bool, CommandFailure>) { result.withLock { $0 = new } }
    func get() throws(CommandFailure) -> Bool { try result.withLock { $0 }.get() }
  }
}
