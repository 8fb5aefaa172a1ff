import ArgumentParser

/// Sandbox, gateway and a few calls, on this machine and without an account.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run a sandbox and a gateway in a temporary folder, and show what becomes of a few calls.",
    discussion: """
      EXAMPLES:
        gatehouse demo
        gatehouse demo --once
      """)

  @Flag(help: "Exit after the calls: with 0 if everything went as expected, or else with 1.")
  var once = false
  @Option(help: "Folder of the policies to use. (default: those that are in the binary)")
  var policies: String?

  func run() throws {
    let isAsExpected = try LoopTask.run { [once, policies] loop throws(CommandFailure) in
      try await Demo(policies: policies, loop: loop).play(stays: !once)
    }
    guard isAsExpected else { throw ExitCode(ExitStatus.bad.rawValue) }
  }
}
