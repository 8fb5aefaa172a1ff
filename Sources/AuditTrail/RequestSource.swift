/// What whoever looks for requests must know beside those that were found.
package struct SearchFlaws: Sendable {
  /// How many lines are no records.
  package var unreadable = 0
  /// Records of requests that were looked for when they were written, and that the journal tells otherwise now, although
  /// the chain does not hold what it tells; they were not given out.
  package var altered: [Int] = []

  package init(unreadable: Int = 0) { self.unreadable = unreadable }
}

/// Where requests are looked for.
package protocol RequestSource {
  /// Calls `body` with each request that `filter` describes, oldest first.
  /// - Parameter limit: only the latest that many; `nil`: all.
  func forEachRequest(
    matching filter: QueryFilter, limit: Int?, _ body: (RequestHistory) -> Void
  ) throws -> SearchFlaws
}
