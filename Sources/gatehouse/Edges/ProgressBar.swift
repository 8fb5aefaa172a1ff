/// A line on standard error that says how far a long command is; nothing when that is no terminal.
struct ProgressBar {
  private let what: String
  /// Of how many; `nil` when that is not known.
  private var total: Int?

  /// - Parameter what: `records checked`
  init(_ what: String, of total: Int? = nil) {
    self.what = what
    self.total = total
  }

  /// - Parameter total: of how many, when that became known or changed.
  mutating func show(_ done: Int, of total: Int? = nil) {
    guard Console.showsProgress else { return }
    self.total = total ?? self.total
    var text = "\(done) \(what)"
    if let total = self.total, total > 0 {
      let filled = min(30, 30 * done / total)
      text =
        "[" + String(repeating: "#", count: filled) + String(repeating: " ", count: 30 - filled)
        + "] \(min(100, 100 * done / total)) % \(done) \(what)"
    }
    Console.progress(text)
  }

  /// Takes the line away.
  mutating func clear() { if Console.showsProgress { Console.progress("") } }
}
