internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Patterns that run into their bound on values that the service would take. Such values are refused whatever they
/// are, which is safe and hardly meant.
///
/// Each pattern is tried, within the bound that requests have too, on values made to make it backtrack: repetitions of
/// the characters that it names, and an end that it cannot match. What is warned about therefore does happen; that it
/// can happen nowhere else is not proved.
struct CostlyPatterns {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy]) {
    for document in policies.map(\.document) {
      for (rules, longest) in [
        (document.appInstanceUserId, ModelLimits.userID.upperBound),
        (document.userName, ModelLimits.userName.upperBound),
      ] {
        if let pattern = rules?.pattern.whole { review(pattern, of: document, isWhole: true, longest) }
        for pattern in rules?.forbidden.patterns ?? [] {
          review(pattern, of: document, isWhole: false, longest)
        }
      }
      for tag in document.tags?.required ?? [] {
        if let pattern = tag.pattern.whole {
          review(pattern, of: document, isWhole: true, ModelLimits.tagValue.upperBound)
        }
      }
      for pattern in document.metadata?.forbidden.patterns ?? [] {
        review(pattern, of: document, isWhole: false, ModelLimits.metadata.upperBound)
      }
    }
  }

  private mutating func review(
    _ pattern: PolicyDocument.Located<Pattern>, of document: PolicyDocument, isWhole: Bool, _ longest: Int
  ) {
    guard let value = Self.costlyValue(for: pattern.value, isWhole: isWhole, longest: longest) else { return }
    problems.append(
      document.problem(
        at: pattern.position, severity: .warning,
        "matching takes more steps than allowed on some values, such as `\(MessageText.shown(value))`, which are then"
          + " refused; repetitions inside repetitions, such as `(a+)+`, and alternatives that begin alike do this"
      ))
  }

  /// A value of at most `longest` characters on which the pattern runs into its bound, if one is found.
  static func costlyValue(for pattern: Pattern, isWhole: Bool, longest: Int) -> Text? {
    guard canRepeat(pattern.source) else { return nil }
    let alphabet = characters(of: pattern.source)
    let pairs = alphabet.flatMap { first in alphabet.filter { $0 != first }.map { [first, $0] } }
    for word in alphabet.map({ [$0] }) + pairs {
      for end in [["!"], alphabet.reversed() + ["\u{1}"]] as [[Unicode.Scalar]] {
        var value = String.UnicodeScalarView()
        while value.count + word.count + end.count <= longest { value.append(contentsOf: word) }
        value.append(contentsOf: end)
        let text = Text(String(value))
        let result = isWhole ? pattern.matchesWhole(text) : pattern.occurs(in: text)
        if result == .exceededBound { return text }
      }
    }
    return nil
  }

  /// Whether it can backtrack at length: two repetitions, or one of alternatives.
  private static func canRepeat(_ source: String) -> Bool {
    let repetitions = source.unicodeScalars.count { "*+?{".unicodeScalars.contains($0) }
    return repetitions > 1 || (repetitions == 1 && source.contains("|"))
  }

  /// Up to eight characters that it names or that stand for a class in it.
  private static func characters(of source: String) -> [Unicode.Scalar] {
    var found: [Unicode.Scalar] = []
    var isEscaped = false
    for scalar in source.unicodeScalars {
      var stands: Unicode.Scalar? = "()[]{}*+?|^$:<>=".unicodeScalars.contains(scalar) ? nil : scalar
      if isEscaped {
        stands = ["d": "0", "w": "a", "s": " ", "b": nil, "p": "a", "P": "a"][scalar] ?? scalar
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
        continue
      } else if scalar == "." {
        stands = "a"
      }
      if let stands, !found.contains(stands) { found.append(stands) }
      if found.count == 8 { break }
    }
    return found.isEmpty ? ["a"] : found
  }
}
