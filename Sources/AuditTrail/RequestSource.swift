/// Where requests are looked for.
package protocol RequestSource {
  /// Calls `body` with each request that `filter` describes, oldest first.
  /// - Parameter limit: only the latest that many; `nil`: all.
  /// - Returns: how many lines are no records.
  func forEachRequest(
    matching filter: QueryFilter, limit: Int?, _ body: (RequestHistory) -> Void
  ) throws -> Int
}
