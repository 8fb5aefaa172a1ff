import Glibc

/// How far a long reading has come, on standard error; nothing at all where that is no terminal.
struct ProgressBar {
  private let total: Int
  private let isShown: Bool
  private var done = 0
  private var shownPercent = -1

  private static let width = 30

  init(total: Int) {
    self.total = max(1, total)
    isShown = isatty(STDERR_FILENO) == 1
  }

  mutating func advance(by count: Int) {
    done += count
    guard isShown, case let percent = min(100, done * 100 / total), percent != shownPercent else { return }
    shownPercent = percent
    let filled = Self.width * percent / 100
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
    Console.status("[\(bar)] \(percent) %")
  }

  /// Takes the bar away, so that a line of data can be printed; the next step shows it again.
  mutating func clear() {
    guard isShown, shownPercent >= 0 else { return }
    Console.status("")
    shownPercent = -1
  }

  mutating func finish() { clear() }
}
