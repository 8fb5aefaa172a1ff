internal import Configuration
package import Primitives

// Exceptions turn violations into warnings: docs/policy-semantics.md, section 8.
extension Decision {
  mutating func soften(
    by exceptions: TenantExceptions, _ request: borrowing GovernedRequest, at now: WallClockTime
  ) {
    var left: [Violation] = []
    for violation in violations {
      var doubt: HiddenMember?
      if let rule = Rule(rawValue: violation.rule),
        let name = exceptions.cover(
          rule, of: violation.policy, in: request, at: now, exceptionAnswers, &doubt)
      {
        var warning = violation
        warning.exception = name
        warnings.append(warning)
      } else {
        left.append(violation)
      }
    }
    violations = left
    exceptionAnswers = nil
  }

  /// The exceptions that were used, by name, each once.
  package var exceptions: [Text] {
    var names: [Text] = []
    for warning in warnings {
      if let name = warning.exception, !names.contains(name) { names.append(name) }
    }
    return names.sorted()
  }
}
