import Glibc

/// How far a long reading has come, on standard error; nothing at all where that is no terminal.
struct ProgressBar {
  private let total: Int
  private let isShown: Bool
  private var done = 0
  private var percent = -1
  private var isOnScreen = false

  private static let width = 30

  init(total: Int) {
    self.total = max(1, total)
    isShown = isatty(STDERR_FILENO) == 1
  }

  mutating func advance(by count: Int) {
    done += count
    guard isShown, case let reached = min(100, done * 100 / total), reached != percent else { return }
    percent = reached
    isOnScreen = true
    let filled = Self.width * percent / 100
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
    Console.status("[\(bar)] \(percent) %")
  }

  /// Takes the bar away, so that a line of data can be printed; it comes back with the next percent.
  mutating func clear() {
    guard isOnScreen else { return }
    Console.status("")
    isOnScreen = false
  }

  mutating func finish() { clear() }
}
