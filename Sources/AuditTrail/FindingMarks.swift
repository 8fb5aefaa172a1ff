package import Primitives

/// What a policy's author wants to be known of a violation beside what is wrong.
package struct FindingMarks: Sendable, Hashable {
  package var severity: Text?
  /// Of the policy: whom to ask.
  package var owner: Text?
  /// An https URL.
  package var help: Text?

  package init() {}

  /// Those that there are, in the order in which they stand in a record.
  var given: [(mark: Text, member: StaticString)] {
    let all: [(Text?, StaticString)] = [
      (severity, ",\"severity\":"), (owner, ",\"owner\":"), (help, ",\"help\":"),
    ]
    return all.compactMap { mark, member in mark.map { ($0, member) } }
  }
}
