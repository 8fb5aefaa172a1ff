internal import Synchronization

/// How much content may be awaited, over all connections, for requests that nobody has judged yet. What comes at once needs
/// none of it.
package final class ContentBudget: Sendable {
  private let taken = Atomic(0)
  private let limit: Int

  /// - Parameter limit: bytes.
  package init(limit: Int = 64 << 20) { self.limit = limit }

  /// `false` when there is not so much left.
  func take(_ bytes: Int) -> Bool {
    if taken.add(bytes, ordering: .relaxed).newValue <= limit { return true }
    giveBack(bytes)
    return false
  }

  func giveBack(_ bytes: Int) { taken.subtract(bytes, ordering: .relaxed) }
}
