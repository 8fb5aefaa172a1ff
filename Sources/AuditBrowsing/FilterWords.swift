internal import AuditTrail
internal import ChimeIdentity
package import Configuration
internal import PolicyEngine
package import Primitives

/// What the filters of `audit query` and of the dashboard take, and why a value is none that a request can have: it must not
/// look as if there were no such request.
package enum FilterWords {
  /// - Returns: lower case, no full stop; `nil`: requests can have it.
  package static func fault(operation: String) -> String? {
    guard Operation(name: Text(operation)) == nil else { return nil }
    return unknown("operation", operation, among: Operation.allNames)
  }

  package static func fault(rule: String) -> String? {
    let known = GatewayRule.allRuleIDs + GatewayRule.limitIDs
    return known.contains(rule) ? nil : unknown("rule", rule, among: known)
  }

  /// What requests are told apart by when they are counted.
  package static func fault(countBy written: String) -> String? {
    let known = RequestCounts.Field.allCases.map(\.rawValue)
    let words = written.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if let word = words.first(where: { !known.contains($0) }) { return unknown("field", word, among: known) }
    return RequestCounts.Field.list(written) == nil ? "each field may be given once" : nil
  }

  /// `KEY=VALUE`; `nil`: it is not written so.
  package static func tag(_ written: String) -> (key: Text, value: Text)? {
    guard let equals = written.firstIndex(of: "="), equals != written.startIndex else { return nil }
    return (Text(String(written[..<equals])), Text(String(written[written.index(after: equals)...])))
  }

  /// `KEY!=VALUE` is meant otherwise.
  package static func isMeantAsUnequal(_ key: Text) -> Bool { key.utf8.last == UInt8(ascii: "!") }

  /// ``unknown rule `tags.requird`; did you mean `tags.required`?``
  package static func unknown(_ kind: String, _ word: String, among known: [String]) -> String {
    let hint = nearest(to: word, among: known).map { "; did you mean `\($0)`?" } ?? ""
    return "unknown \(kind) `\(word.onOneLine)`\(hint)"
  }

  /// Why what is sensitive cannot be searched; `nil`: it can.
  /// - Parameters:
  ///   - treatment: of `audit.sensitive`.
  ///   - option: as whoever asks writes it.
  package static func fault(
    searching option: String, under treatment: GatewayConfiguration.Sensitive.Treatment, of key: String
  ) -> String? {
    guard treatment == .omit else { return nil }
    return
      "\(option) cannot be searched: the journal does not hold it, as `audit.sensitive.\(key)` is \"omit\""
  }
}
