/// Which reload is made when: one after another, and whoever asks while one runs gets the next, since the running one may
/// have read its files already. So the one asked for last wins, and many at once are two.
///
///     idle ── ask ──► running ── finish, nobody asked ──► idle
///                       └─ finish, somebody asked ──► running (the first of those who asked makes it)
///
/// It wakes nobody: it says who is to be told what. `Waiter` is whatever the one who asks waits with.
struct ReloadQueue<Waiter> {
  private var isRunning = false
  /// Those who get the result of the running one.
  private var sharing: [Waiter] = []
  /// Those who get the next.
  private var waiting: [Waiter] = []

  /// Asks for a reload. `true`: whoever asked makes it now, and calls `finish` after it; the waiter is not kept. `false`:
  /// it waits to be named by `finish`.
  mutating func ask(_ waiter: Waiter) -> Bool {
    guard isRunning else {
      isRunning = true
      return true
    }
    waiting.append(waiter)
    return false
  }

  struct Finished {
    /// Get the result of the reload that is over.
    let told: [Waiter]
    /// Makes the next one, whose result the others that asked meanwhile get, too.
    let next: Waiter?
  }

  /// The running reload is over.
  mutating func finish() -> Finished {
    precondition(isRunning, "a reload ends once")
    let told = sharing
    guard let next = waiting.first else {
      isRunning = false
      sharing = []
      return Finished(told: told, next: nil)
    }
    sharing = Array(waiting.dropFirst())
    waiting = []
    return Finished(told: told, next: next)
  }
}
