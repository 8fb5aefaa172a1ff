import Glibc
import PolicyTrials

/// Standard output for data, standard error for messages.
enum Console {
  /// A line of data.
  static func data(_ line: String) { write(Array(line.utf8) + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

  static func data(_ line: [UInt8]) { write(line + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

  /// Data with line ends of its own.
  static func data(lines: [UInt8]) { write(lines, to: STDOUT_FILENO) }

  /// A line for the person at the terminal.
  static func message(_ line: String) { write(Array(line.utf8) + [UInt8(ascii: "\n")], to: STDERR_FILENO) }

  /// Whether a person reads the data.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Colours on a terminal that has them, unless `NO_COLOR` is set (https://no-color.org).
  static var style: TextStyle {
    let environment = Process.environment
    let isRefused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    return TextStyle(isColoured: isTerminal && !isRefused)
  }

  /// Whoever reads may have gone; then there is nobody to tell. Data that could not be written for another reason must
  /// not look complete.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        guard descriptor == STDOUT_FILENO, errno != EPIPE else { return }
        message("gatehouse: standard output cannot be written: \(String(cString: strerror(errno)))")
        exit(ExitStatus.internalFault.rawValue)
      }
      rest = rest.dropFirst(count)
    }
  }
}
