internal import Patterns
internal import Primitives

/// How values are put into messages.
enum MessageText {
  /// Enough to recognise a value by, too little to fill a log with.
  static let longestValue = 64
  /// Patterns are the policy author's text and often longer than what they match.
  static let longestPattern = 200

  /// At most `longestValue` scalars, on one line, with nothing that a terminal or a log would act on.
  static func shown(_ value: Text) -> String { oneLine(value.string, longest: longestValue) }

  static func shown(_ value: Span<UInt8>) -> String { shown(value.uncheckedText) }

  /// What an author wrote to be read, whole.
  static func line(_ text: Text) -> String { oneLine(text.string, longest: .max) }

  static func shown(pattern: String) -> String { oneLine(pattern, longest: longestPattern) }

  /// `` `4711`, `48*` `` of up to eight.
  static func list(_ values: some Collection<String>) -> String {
    let some = values.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    return values.count > 8 ? "\(some) and \(values.count - 8) more" : some
  }

  static func list(_ globs: [Glob]) -> String { list(globs.map { shown($0.source) }) }

  /// ``tenants `crm`, `erp` ``
  static func names(of tenants: [TenantFacts]) -> String {
    "tenant\(tenants.count == 1 ? "" : "s") \(list(tenants.map { shown($0.id) }))"
  }

  static let exceededBound = "matching took more steps than allowed"
  static let nothing = "nothing, until the tenant or the policy is corrected"

  /// `1 day`, `3 days`
  static func count(_ number: Int, _ unit: String) -> String { "\(number) \(unit)\(number == 1 ? "" : "s")" }

  /// `1 to 90 days`, `at least 1 day`, `at most 90 days`
  static func range(_ least: Int?, _ most: Int?, _ unit: String) -> String {
    switch (least, most) {
    case (let least?, let most?): "\(least) to \(count(most, unit))"
    case (let least?, nil): "at least \(count(least, unit))"
    case (nil, let most?): "at most \(count(most, unit))"
    case (nil, nil): "any number of \(unit)s"
    }
  }

  static func range(_ range: ClosedRange<Int>, _ unit: String) -> String {
    self.range(range.lowerBound, range.upperBound, unit)
  }

  /// ` of 1 to 90 days`, or nothing when any number would do.
  static func of(_ least: Int?, _ most: Int?, _ unit: String) -> String {
    least == nil && most == nil ? "" : " of \(range(least, most, unit))"
  }

  private static func oneLine(_ text: String, longest: Int) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard out.count < longest else {
        out.removeLast()
        out.append("\u{2026}")
        break
      }
      out.append(scalar.isInert ? scalar : "\u{FFFD}")
    }
    return String(out)
  }
}
