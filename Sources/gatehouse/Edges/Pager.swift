import Glibc

/// The program that shows what is longer than the screen, as `git` has it: `$GATEHOUSE_PAGER`, `$PAGER` or `less`, which
/// is told to leave colours and a short text as they are. It takes the place of standard output until `close`.
struct Pager {
  private let pid: pid_t
  private let terminal: Int32

  /// - Returns: `nil` when none is wanted or to be had.
  init?(environment: [String: String]) {
    guard let command = Self.command(environment), let (reading, writing) = Self.pipe() else { return nil }
    defer {
      Glibc.close(reading)
      Glibc.close(writing)
    }
    let terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
    guard terminal >= 0 else { return nil }
    guard let pid = Self.spawn(command, reading, environment), dup2(writing, STDOUT_FILENO) >= 0 else {
      Glibc.close(terminal)
      return nil
    }
    // What is typed at the pager is for the pager.
    signal(SIGINT, SIG_IGN)
    self.pid = pid
    self.terminal = terminal
  }

  /// Waits until whoever reads is done.
  func close() {
    dup2(terminal, STDOUT_FILENO)
    Glibc.close(terminal)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    signal(SIGINT, SIG_DFL)
  }

  private static func command(_ environment: [String: String]) -> String? {
    // Others cannot move on such a terminal.
    guard let terminal = environment["TERM"], terminal != "dumb", !terminal.isEmpty else { return nil }
    let command = environment["GATEHOUSE_PAGER"] ?? environment["PAGER"] ?? "less"
    guard let program = command.split(separator: " ").first.map(String.init), program != "cat",
      isExecutable(program, environment["PATH"] ?? "")
    else { return nil }
    return command
  }

  private static func isExecutable(_ program: String, _ path: String) -> Bool {
    if program.contains("/") { return access(program, X_OK) == 0 }
    return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
  }

  private static func pipe() -> (reading: Int32, writing: Int32)? {
    var ends: (Int32, Int32) = (-1, -1)
    let status = withUnsafeMutableBytes(of: &ends) {
      Glibc.pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    guard status == 0 else { return nil }
    // The pager must not hold the end open that it waits for to be closed.
    for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends.0, ends.1)
  }

  private static func spawn(_ command: String, _ input: Int32, _ environment: [String: String]) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    var variables = environment
    variables["LESS"] = environment["LESS"] ?? "FRX"
    let words: [String] = ["sh", "-c", command]
    let names = words.map { strdup($0) } + [nil]
    let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in names + settings { free(text) } }
    var pid: pid_t = 0
    return posix_spawn(&pid, "/bin/sh", &actions, nil, names, settings) == 0 ? pid : nil
  }
}
