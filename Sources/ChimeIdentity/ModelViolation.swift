/// How a request breaks the service model: the member and what would be accepted, never the value (many are
/// sensitive).
package struct ModelViolation: Error, Hashable, Sendable {
  package enum Fault: Hashable, Sendable {
    case missing
    case unknownMember(nearest: String?)
    case unknownParameter
    case repeatedParameter
    case wrongType(expected: Expected)
    case null
    case length(ClosedRange<Int>)
    case pattern(ModelPattern)
    case enumeration([String])
    case range(ClosedRange<Int>)
    case count(ClosedRange<Int>)
    /// The same tag key stood at `first` already.
    case repeatedTagKey(first: Int)
    case unexpectedBody
  }

  package enum Expected: String, Hashable, Sendable {
    case string = "a string"
    case integer = "a whole number"
    case list = "a list"
    case structure = "an object"
  }

  /// `Tags[1].Key`; empty for the body as a whole.
  package private(set) var member: String
  package let fault: Fault

  init(_ fault: Fault, at member: String = "") {
    self.member = member
    self.fault = fault
  }

  func inside(_ container: StaticString) -> ModelViolation { inside("\(container)") }

  /// The same violation seen from the value that holds it: `Key` in `Tags[1]`.
  func inside(_ container: String) -> ModelViolation {
    let separator = member.isEmpty || member.hasPrefix("[") ? "" : "."
    return ModelViolation(fault, at: container + separator + member)
  }

  /// Lower case, no full stop.
  package var message: String {
    let subject = member.isEmpty ? "the body" : "`\(member)`"
    return switch fault {
    case .missing: "\(subject) is required"
    case .unknownMember(let nearest):
      "\(subject) is not a member of this operation's input"
        + (nearest.map { "; did you mean `\($0)`?" } ?? "")
    case .unknownParameter: "\(subject) is not a query parameter of this operation"
    case .repeatedParameter: "query parameter \(subject) must not be given twice"
    case .wrongType(let expected): "\(subject) must be \(expected.rawValue)"
    case .null: "\(subject) must not be null"
    case .length(let range): "\(subject) must have \(Self.words(range)) characters"
    case .pattern(let pattern): "\(subject) must be \(pattern.acceptedValues)"
    case .enumeration(let values): "\(subject) must be one of \(values.joined(separator: ", "))"
    case .range(let range):
      "\(subject) must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .count(let range): "\(subject) must have \(Self.words(range)) elements"
    case .repeatedTagKey(let first):
      "\(subject) is the same key as `Tags[\(first)].Key`; each may be given once"
    case .unexpectedBody: "this operation takes no body"
    }
  }

  private static func words(_ range: ClosedRange<Int>) -> String {
    if range.upperBound == .max { return "at least \(range.lowerBound)" }
    if range.lowerBound == 0 { return "at most \(range.upperBound)" }
    return "\(range.lowerBound) to \(range.upperBound)"
  }
}

extension ModelPattern {
  /// What a value must be to match, in words.
  var acceptedValues: String {
    switch self {
    case .anything: "text"
    case .arn: "an ARN (`arn:partition:service:region:account:resource`)"
    case .requestToken: "made of letters, digits, `-` and `_`"
    case .lexBotAliasArn: "the ARN of a Lex bot alias"
    case .lexIntentName: "letters, with single underscores after some of them"
    case .resourceName: "free of control characters"
    case .userId: "letters, digits and `:-_.@`, beginning and ending with a letter or digit"
    case .notBlank: "more than white space"
    }
  }
}
