import Configuration

/// The exit codes that scripts can rely on.
enum ExitStatus: Int32 {
  /// The thing that was asked about is bad.
  case bad = 1
  /// `explain`: the request would be denied.
  case denied = 2
  case usage = 64
  case internalFault = 70
  /// The configuration cannot be loaded by a command that needs it.
  case configuration = 78
}

/// Why a command ends without having done what it was asked, and what standard error says about it.
struct CommandFailure: Error {
  let status: ExitStatus
  let lines: [String]

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    lines = ["gatehouse: \(message)"]
  }

  init(_ status: ExitStatus, lines: [String]) {
    self.status = status
    self.lines = lines
  }

  /// The files have these problems.
  init(configuration problems: [Problem], advice: [String] = []) {
    status = .configuration
    lines = problems.map(\.line) + advice
  }
}
