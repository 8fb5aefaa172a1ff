internal import CGlibc
internal import CredentialSources
internal import Glibc
internal import Synchronization

/// Runs programs that print credentials: no shell, a process group of their own, and an end to each.
final class ProgramRunner: Sendable {
  private struct Running: Sendable {
    var groups: Set<pid_t> = []
    var isClosed = false
  }

  private let running = Mutex(Running())

  /// Kills what runs, and lets nothing more begin.
  func close() {
    running.withLock { running in
      running.isClosed = true
      for group in running.groups { kill(-group, SIGKILL) }
    }
  }

  /// What the program prints on standard output. Standard error goes nowhere: it may hold what the log must not.
  /// - Parameter limit: nanoseconds until its group is killed.
  func run(
    _ words: [String], environment: [String: String], limit: Int64
  ) -> Result<[UInt8], CredentialFailure> {
    var ends: [Int32] = [0, 0]
    guard gh_pipe_to_keep(&ends) == 0 else { return .failure(.process("has no pipe: \(Self.lastError)")) }
    defer { Glibc.close(ends[0]) }
    let pid: pid_t
    do throws(CredentialFailure) {
      defer { Glibc.close(ends[1]) }
      pid = try start(words, environment, output: ends[1])
    } catch {
      return .failure(error)
    }
    defer { finish(pid) }
    let deadline = Self.now() + limit
    guard let output = Self.read(ends[0], until: deadline) else {
      return .failure(.process("printed too much, or did not end within \(limit / 1_000_000_000) s"))
    }
    guard let status = Self.wait(for: pid, until: deadline) else {
      return .failure(.process("did not end within \(limit / 1_000_000_000) s"))
    }
    guard status == 0 else {
      let signal = status & 0x7F
      return .failure(
        .process(signal == 0 ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"))
    }
    return .success(output)
  }

  private func start(
    _ words: [String], _ environment: [String: String], output: Int32
  ) throws(CredentialFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    _ = gh_spawn_close_from(&actions, STDERR_FILENO + 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // As if a shell had started it: this process holds and ignores signals that it must not.
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    let names = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for text in variables { if let text { explicit_bzero(text, strlen(text)) } }
      for text in names + variables { free(text) }
    }
    // Under the lock, so that `close` misses none.
    let (code, pid) = running.withLock { running -> (Int32, pid_t) in
      guard !running.isClosed else { return (ECANCELED, 0) }
      var pid: pid_t = 0
      let code = posix_spawnp(&pid, words[0], &actions, &attributes, names, variables)
      if code == 0 { running.groups.insert(pid) }
      return (code, pid)
    }
    guard code == 0 else { throw .process("cannot be started: \(String(cString: strerror(code)))") }
    return pid
  }

  /// Ends what is left of the group, and lets the program go.
  private func finish(_ pid: pid_t) {
    kill(-pid, SIGKILL)
    running.withLock { running in
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      running.groups.remove(pid)
    }
  }

  private static let largestOutput = 64 << 10

  /// Until its end; `nil` when there is too much, or the time is over.
  private static func read(_ descriptor: Int32, until deadline: Int64) -> [UInt8]? {
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = deadline - now()
      guard left > 0 else { return nil }
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, Int32(clamping: left / 1_000_000 + 1)) > 0 else { continue }
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0, output.count + count <= largestOutput else { return nil }
      if count == 0 { return output }
      output += chunk[..<count]
    }
  }

  /// The program's wait status, left to be collected; `nil` when the time is over.
  private static func wait(for pid: pid_t, until deadline: Int64) -> Int32? {
    while true {
      var information = siginfo_t()
      if waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0, information.si_signo != 0 {
        let status = information._sifields._sigchld.si_status
        return information.si_code == CLD_EXITED ? status << 8 : status & 0x7F
      }
      guard now() < deadline else { return nil }
      usleep(2000)
    }
  }

  private static var lastError: String { String(cString: strerror(errno)) }

  private static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
