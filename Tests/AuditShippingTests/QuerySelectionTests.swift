import AuditTrail
import OpenSSLCrypto
import Primitives
import Testing

@testable import AuditShipping

@Suite struct QuerySelectionTests {
  private let hostile: Text = "'; DROP TABLE x; -- \" \\ $1 \u{0} \u{1F600}"

  private func everything() -> QueryFilter {
    var filter = QueryFilter()
    filter.userId = hostile
    filter.userArn = "arn/user/" + hostile
    filter.tenant = hostile
    filter.actor = hostile
    filter.accessKeyId = hostile
    filter.operation = hostile
    filter.name = hostile
    filter.tags = [(key: hostile, value: hostile)]
    filter.decision = .refused
    filter.since = WallClockTime(seconds: 1_795_438_800)
    filter.until = WallClockTime(seconds: 1_795_438_900)
    filter.hashKey = Secret([UInt8](repeating: 7, count: 32))
    return filter
  }

  /// The text is the same whatever the values are, and numbers each parameter.
  @Test func valuesAreParameters() {
    let selection = QuerySelection(everything(), gateway: hostile, table: "t", newestFirst: false)
    for part in ["DROP", "arn/user", "hmac", "2026"] { #expect(!selection.statement.contains(part)) }
    for number in 1...selection.parameters.count { #expect(selection.statement.contains("$\(number)")) }
    #expect(!selection.statement.contains("$\(selection.parameters.count + 1)"))
  }

  /// Columns hold no U+0000 and 512 characters at most; what is compared with them is cut alike.
  @Test func valuesAreCutAsColumnsAre() {
    var filter = QueryFilter()
    filter.tenant = Text("\u{0}" + String(repeating: "é", count: 600))
    let selection = QuerySelection(filter, gateway: "g", table: "t", newestFirst: true)
    #expect(selection.parameters.last == Array(("\u{FFFD}" + String(repeating: "é", count: 511)).utf8))
    #expect(selection.statement.hasSuffix("ORDER BY sequence DESC"))
  }

  /// Times are rounded in columns, so more is found than is asked for.
  @Test func timesAreWidened() {
    var filter = QueryFilter()
    filter.since = WallClockTime(seconds: 1_795_438_800)
    filter.until = WallClockTime(seconds: 1_795_438_900)
    let selection = QuerySelection(filter, gateway: "g", table: "t", newestFirst: false)
    #expect(
      selection.parameters.dropFirst().map { $0.map { String(decoding: $0, as: UTF8.self) } } == [
        "2026-11-23T12:59:59.000Z", "2026-11-23T13:01:41.000Z",
      ])
  }
}
