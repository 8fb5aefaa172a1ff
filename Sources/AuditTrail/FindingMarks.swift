package import Primitives

/// What a policy's author wants to be known of a violation beside what is wrong.
package struct FindingMarks: Sendable, Hashable {
  package var severity: Text?
  /// Of the policy: whom to ask.
  package var owner: Text?
  /// An https URL.
  package var help: Text?
  /// The exception without which it would deny.
  package var exception: Text?

  package init() {}

  /// Those that there are, in the order in which they stand in a record.
  var given: [(mark: Text, member: StaticString)] {
    let all: [(Text?, StaticString)] = [
      (severity, ",\"severity\":"), (owner, ",\"owner\":"), (help, ",\"help\":"),
      (exception, ",\"exception\":"),
    ]
    return all.compactMap { mark, member in mark.map { ($0, member) } }
  }
}
