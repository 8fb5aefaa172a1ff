import Glibc

/// Another run of this executable.
final class ChildProcess {
  /// The subcommand that it runs.
  let name: String
  private let pid: pid_t
  private var exitCode: Int32?

  /// - Parameters:
  ///   - arguments: those after the executable's name.
  ///   - output: a file that takes both streams; `nil` lets the child share ours.
  init(
    _ arguments: [String], environment: [String: String], output: String? = nil
  ) throws(CommandFailure) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output {
      posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600)
      posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    }
    let names = (["gatehouse"] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in names + variables { free(text) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, "/proc/self/exe", &actions, nil, names, variables)
    guard status == 0 else {
      throw CommandFailure(
        .internalFault, "cannot start `\(arguments[0])`: \(String(cString: strerror(status)))")
    }
    name = arguments[0]
    self.pid = pid
  }

  /// The code that it ended with, 128 and the signal for one that was killed; `nil` while it runs.
  func ended() -> Int32? {
    if exitCode != nil { return exitCode }
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    let signal = status & 0x7F
    exitCode = signal == 0 ? status >> 8 & 0xFF : 128 + signal
    return exitCode
  }

  /// Asks it to end. A process that was waited for is left alone: its id may be another's by now.
  func terminate() {
    if ended() == nil { kill(pid, SIGTERM) }
  }
}
