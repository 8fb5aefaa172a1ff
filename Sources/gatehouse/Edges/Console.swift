import Glibc
import OpenSSLCrypto
import PolicyTrials
import Primitives
import Synchronization

/// Standard output for data, standard error for messages: the one way out of every command. Whatever the text holds,
/// nothing in it reaches a terminal that would act on it (`TerminalSafety`).
enum Console {
  private static let outlivesReader = Atomic(false)

  /// Data that is held back until it is known whether it fits on the screen.
  private struct Pages {
    var held: [UInt8]? = []
    var lines = 0
    var pager: Pager?
  }

  private static let pages = Mutex<Pages?>(nil)

  /// The command goes on when whoever read its data has gone, because it does more than print.
  static func outliveReader() { outlivesReader.store(true, ordering: .relaxed) }

  /// From here on data that is longer than the screen is shown by a pager; without a terminal nothing changes.
  static func beginPages() {
    if isTerminal { pages.withLock { $0 = $0 ?? Pages() } }
  }

  /// Data is out, and whoever reads it is done.
  static func endPages() {
    let ended = pages.withLock { pages in
      defer { pages = nil }
      return pages
    }
    if let held = ended?.held { write(held, to: STDOUT_FILENO) }
    ended?.pager?.close()
  }

  /// Whether the data was held back.
  private static func hold(_ bytes: [UInt8]) -> Bool {
    let released: [UInt8]? = pages.withLock { pages -> [UInt8]? in
      guard var held = pages?.held else { return bytes }
      held += bytes
      pages?.lines += bytes.count { $0 == UInt8(ascii: "\n") }
      pages?.held = held
      guard (pages?.lines ?? 0) >= screenHeight else { return nil }
      pages?.held = nil
      pages?.pager = Pager(environment: Process.environment.copy)
      return held
    }
    guard let released else { return true }
    writeAll(released, to: STDOUT_FILENO)
    return true
  }

  /// A line of data.
  static func data(_ line: String) { data(lines: line + "\n") }

  /// A line with marks, which are colours on a terminal that has them.
  static func data(_ line: StyledText) {
    let style = isColoured
    let pieces = line.pieces.map { piece in
      let text = TerminalSafety.safe(piece.text)
      return style ? piece.mark.colour.map { "\u{1B}[\($0)m\(text)\u{1B}[0m" } ?? text : text
    }
    write(Array((pieces.joined() + "\n").utf8), to: STDOUT_FILENO)
  }

  /// Text with line ends of its own.
  static func data(lines: String) {
    write(TerminalSafety.safe(Array(lines.utf8), as: .text), to: STDOUT_FILENO)
  }

  /// JSON, which becomes a line.
  static func data(json: [UInt8]) {
    write(TerminalSafety.safe(json, as: .json) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
  }

  /// Lines of CSV, which end with CR LF; a terminal gets them without the CR.
  static func data(csv lines: [UInt8]) {
    let safe = TerminalSafety.safe(lines, as: .csv)
    write(isTerminal ? safe.filter { $0 != UInt8(ascii: "\r") } : safe, to: STDOUT_FILENO)
  }

  /// A line for the person at the terminal.
  static func message(_ line: String) {
    write(TerminalSafety.safe(Array((line + "\n").utf8), as: .text), to: STDERR_FILENO)
  }

  /// JSON for a log, which becomes a line.
  static func message(json: [UInt8]) {
    write(TerminalSafety.safe(json, as: .json) + [UInt8(ascii: "\n")], to: STDERR_FILENO)
  }

  /// A line on the terminal that the next one takes the place of; an empty one takes it away.
  static func progress(_ line: String) {
    write(Array((line.isEmpty ? "\r\u{1B}[K" : "\r\(TerminalSafety.safe(line))").utf8), to: STDERR_FILENO)
  }

  /// Whether a person reads the data.
  static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Whether a person reads the messages.
  static let showsProgress = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal; `nil` when the data does not go to one.
  static var width: Int? {
    guard isTerminal else { return nil }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 80 }
    return Int(size.ws_col)
  }

  private static var screenHeight: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }

  /// Whether nobody reads the data any more.
  static var isReaderGone: Bool {
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    return poll(&output, 1, 0) > 0 && Int32(output.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
  }

  /// Unless `NO_COLOR` is set (https://no-color.org).
  private static let isColoured =
    isTerminal && (Process.environment["NO_COLOR"] ?? "").isEmpty && Process.environment["TERM"] != "dumb"

  /// Whoever reads may have gone: then the command ends as every filter does (`gatehouse audit query | head`). Data that
  /// could not be written for another reason must not look complete.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    if descriptor == STDOUT_FILENO, hold(bytes) { return }
    writeAll(bytes, to: descriptor)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if descriptor == STDERR_FILENO, !isTaken(descriptor) { return }
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        guard descriptor == STDOUT_FILENO else { return }
        if errno == EPIPE { return endWithReader() }
        message("gatehouse: standard output cannot be written: \(String(cString: strerror(errno)))")
        exit(ExitStatus.internalFault.rawValue)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// By the signal that others leave to end them, so that the shell sees that not all was said.
  private static func endWithReader() {
    guard !outlivesReader.load(ordering: .relaxed) else { return }
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
  }

  /// Whether somebody takes what is written; a reader who does not read holds a message up for a second, not for ever.
  private static func isTaken(_ descriptor: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    var status = poll(&waiting, 1, 1000)
    while status < 0, errno == EINTR { status = poll(&waiting, 1, 1000) }
    return status != 0
  }
}

extension StyledText.Mark {
  /// The parameter of SGR (ECMA-48).
  fileprivate var colour: String? {
    switch self {
    case .plain: nil
    case .good: "32"
    case .bad: "31"
    case .doubtful: "33"
    case .strong: "1"
    case .faint: "2"
    }
  }
}
