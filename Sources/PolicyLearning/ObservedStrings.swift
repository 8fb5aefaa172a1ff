internal import Primitives

/// What strings that were seen have in common: the characters that they are made of, and how long they are.
struct ObservedStrings {
  private(set) var count = 0
  /// In Unicode scalars.
  private(set) var lengths: ClosedRange<Int>?
  private var characters = CharacterSet()
  /// The runs that all of them consist of; `nil`: they differ in these.
  private var runs: [Run]?

  /// Longer ones are no pattern that anybody would read.
  private static let mostRuns = 12

  mutating func take(_ value: Text) {
    let scalars = Array(value.string.unicodeScalars)
    lengths =
      lengths.map { min($0.lowerBound, scalars.count)...max($0.upperBound, scalars.count) }
      ?? scalars.count...scalars.count
    for scalar in scalars { characters.insert(scalar) }
    let seen = Run.runs(of: scalars)
    if count == 0 {
      runs = seen
    } else if let known = runs {
      runs =
        known.count == seen.count && zip(known, seen).allSatisfy { $0.kind == $1.kind }
        ? zip(known, seen).map { $0.joined(with: $1) } : nil
    }
    if runs.map({ $0.count > Self.mostRuns }) ?? false { runs = nil }
    count += 1
  }

  /// A PCRE2 expression that matches each of them as a whole; `nil` when they have too little in common.
  var pattern: String? {
    guard count > 0, lengths?.lowerBound ?? 0 > 0, let all = characters.expression else { return nil }
    guard let runs, runs.count > 1 || runs[0].isOfOneLength else { return "\(all)+" }
    return runs.map(\.expression).joined()
  }
}

/// Characters of ASCII that were seen, as an expression has them.
private struct CharacterSet {
  private var lower = false
  /// Of the lower-case letters only those up to f.
  private var isHexadecimal = true
  private var upper = false
  private var isUpperHexadecimal = true
  private var digits = false
  private var others: Set<Unicode.Scalar> = []
  private var isForeign = false

  /// More are no class but everything.
  private static let mostOthers = 6

  mutating func insert(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "a"..."f": lower = true
    case "g"..."z": (lower, isHexadecimal) = (true, false)
    case "A"..."F": upper = true
    case "G"..."Z": (upper, isUpperHexadecimal) = (true, false)
    case "0"..."9": digits = true
    case " "..."~": others.insert(scalar)
    default: isForeign = true
    }
  }

  /// `[a-z0-9-]`; `nil`: there are characters of too many kinds.
  var expression: String? {
    guard !isForeign, others.count <= Self.mostOthers else { return nil }
    var out = "["
    // Letters alone are rarely meant as digits of base 16.
    if lower { out += isHexadecimal && digits ? "a-f" : "a-z" }
    if upper { out += isUpperHexadecimal && digits ? "A-F" : "A-Z" }
    if digits { out += "0-9" }
    // Escaped, none of them means anything else.
    for scalar in others.sorted() { out += "\\\(scalar)" }
    return out + "]"
  }
}

/// Neighbours of one kind: letters of one case, digits, or one character that is none of these.
private struct Run {
  enum Kind: Hashable {
    case lower, upper, digit
    case mark(Unicode.Scalar)

    init(_ scalar: Unicode.Scalar) {
      switch scalar {
      case "a"..."z": self = .lower
      case "A"..."Z": self = .upper
      case "0"..."9": self = .digit
      default: self = .mark(scalar)
      }
    }
  }

  let kind: Kind
  /// `nil`: they differ.
  private let text: String?
  private let lengths: ClosedRange<Int>

  static func runs(of scalars: [Unicode.Scalar]) -> [Run] {
    var runs: [Run] = []
    var start = 0
    while start < scalars.count {
      let kind = Kind(scalars[start])
      var end = start + 1
      while end < scalars.count, Kind(scalars[end]) == kind { end += 1 }
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars[start..<end])
      runs.append(Run(kind: kind, text: String(text), lengths: (end - start)...(end - start)))
      start = end
    }
    return runs
  }

  func joined(with other: Run) -> Run {
    Run(
      kind: kind, text: text == other.text ? text : nil,
      lengths: min(
        lengths.lowerBound, other.lengths.lowerBound)...max(
          lengths.upperBound, other.lengths.upperBound))
  }

  var isOfOneLength: Bool { lengths.count == 1 }

  var expression: String {
    if let text {
      return text.unicodeScalars.map { Self.isPlain($0) ? "\($0)" : "\\\($0)" }.joined()
    }
    let count = isOfOneLength ? (lengths.lowerBound == 1 ? "" : "{\(lengths.lowerBound)}") : "+"
    switch kind {
    case .lower: return "[a-z]" + count
    case .upper: return "[A-Z]" + count
    case .digit: return "[0-9]" + count
    case .mark(let scalar): return "\\\(scalar)" + count
    }
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch Kind(scalar) {
    case .lower, .upper, .digit: true
    case .mark: scalar == "-" || scalar == "_"
    }
  }
}
