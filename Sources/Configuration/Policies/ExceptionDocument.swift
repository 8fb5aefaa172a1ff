package import Primitives

/// One exception file as written: which rules warn instead of denying, of whom, and until when.
package struct ExceptionDocument: Sendable {
  package var file: String
  /// Unique in the set.
  package var name: PolicyDocument.Located<Text>
  package var reason: Text
  package var owner: Text?
  /// Its last day.
  package var until: PolicyDocument.Located<CalendarDay>
  /// The names of the policies that it softens.
  package var policies: [PolicyDocument.Located<Text>]
  /// Ids of rules, or globs of them; `nil`: all.
  package var rules: [PolicyDocument.Located<Text>]?
  package var match = PolicyDocument.Match()
  package var when: PolicyDocument.When?
}

/// A day in UTC.
package struct CalendarDay: Hashable, Sendable {
  /// `2027-01-31`
  package let written: String
  private let begin: WallClockTime

  /// `nil`: it is not written so, or there is no such day.
  package init?(_ written: String) {
    guard written.utf8.count == 10, let begin = WallClockTime(rfc3339: written + "T00:00:00Z") else {
      return nil
    }
    self.written = written
    self.begin = begin
  }

  /// The first moment behind it.
  package var end: WallClockTime { begin.advanced(byNanoseconds: 86_400 * 1_000_000_000) }
}
