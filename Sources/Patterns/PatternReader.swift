/// Reads the source of a pattern for what can be known of it without PCRE2. What it does not understand it says so of.
struct PatternReader {
  private let scalars: [Unicode.Scalar]
  private var place = 0

  init(_ source: String) { scalars = Array(source.unicodeScalars) }

  var isAtEnd: Bool { place == scalars.count }
  private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  /// A character or a class of characters, of which ASCII characters; `nil` when something else comes.
  mutating func item() -> (source: String, ascii: ByteSet?)? {
    let start = place
    guard let scalar = next else { return nil }
    let ascii: ByteSet?
    switch scalar {
    case "[":
      guard let set = bracketed() else { return nil }
      ascii = set.ascii
    case "\\":
      guard let set = escaped() else { return nil }
      ascii = set.ascii
    case "(", ")", "|", "^", "$", "*", "+", "?", "{", "}", ".", "]", "#": return nil
    default:
      // White space could be left out by an option, which no pattern that comes here can set.
      place += 1
      ascii = Self.literal(scalar)
    }
    return (text(from: start), ascii)
  }

  /// How often the item before stands: `{2}`, `{1,60}`, `*`, `+`, `?`, or once; `nil` when it is not said in one of these
  /// ways.
  mutating func times() -> ClosedRange<Int>? {
    let times: ClosedRange<Int>
    switch next {
    case "*": times = 0...CharacterSequence.unbounded
    case "+": times = 1...CharacterSequence.unbounded
    case "?": times = 0...1
    case "{": return bracedTimes()
    default: return 1...1
    }
    place += 1
    return endOfTimes(times)
  }

  private mutating func bracedTimes() -> ClosedRange<Int>? {
    place += 1
    guard let least = number() else { return nil }
    var most: Int? = least
    if next == "," {
      place += 1
      most = number()
      if most == nil { most = CharacterSequence.unbounded }
    }
    guard next == "}", let most, most >= least else { return nil }
    place += 1
    return endOfTimes(least...most)
  }

  /// Not followed by what would make it lazy or possessive, or be an error.
  private func endOfTimes(_ times: ClosedRange<Int>) -> ClosedRange<Int>? {
    switch next {
    case "*", "+", "?", "{": nil
    default: times
    }
  }

  private mutating func number() -> Int? {
    let start = place
    while let digit = next, ("0"..."9").contains(digit) { place += 1 }
    return Int(text(from: start))
  }

  private func text(from start: Int) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<place])
    return String(text)
  }

  private static func literal(_ scalar: Unicode.Scalar) -> ByteSet {
    var set = ByteSet()
    if scalar.isASCII { set.insert(UInt8(scalar.value)) }
    return set
  }
}

/// The ASCII characters of a class; `nil` in it: not known.
private struct ClassSet { var ascii: ByteSet? }

extension PatternReader {
  /// A class in brackets.
  private mutating func bracketed() -> ClassSet? {
    place += 1
    let isNegated = next == "^"
    if isNegated { place += 1 }
    // A bracket that closes nothing yet stands for itself, and is rare.
    guard next != "]" else { return nil }
    var set = ByteSet()
    var isKnown = true
    while let scalar = next, scalar != "]" {
      // `[:alpha:]` and its like.
      if scalar == "[" { return nil }
      var first: Unicode.Scalar? = scalar
      if scalar == "\\" {
        guard let escape = escaped() else { return nil }
        first = escape.literal
        if let ascii = escape.ascii { set.formUnion(ascii) } else { isKnown = false }
      } else {
        place += 1
        set.formUnion(Self.literal(scalar))
      }
      guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else { continue }
      place += 1
      guard let first, let last = rangeEnd(), first <= last else { return nil }
      for value in first.value...max(first.value, min(last.value, 0x7F)) where value < 0x80 {
        set.insert(UInt8(value))
      }
    }
    guard next == "]" else { return nil }
    place += 1
    return ClassSet(ascii: isKnown ? (isNegated ? set.asciiComplement : set) : nil)
  }

  private mutating func rangeEnd() -> Unicode.Scalar? {
    guard let scalar = next, scalar != "[" else { return nil }
    if scalar == "\\" { return escaped()?.literal }
    place += 1
    return scalar
  }

  /// An escape that stands for one character: a punctuation mark, or a class such as `\d` or `\p{L}`.
  private mutating func escaped() -> (literal: Unicode.Scalar?, ascii: ByteSet?)? {
    guard place + 1 < scalars.count else { return nil }
    let scalar = scalars[place + 1]
    guard scalar.isASCII else { return nil }
    if !scalar.isLetterOrDigit {
      place += 2
      return (scalar, Self.literal(scalar))
    }
    let ascii: ByteSet?
    switch scalar {
    case "d": ascii = .digits
    case "D": ascii = ByteSet.digits.asciiComplement
    case "w": ascii = .words
    case "W": ascii = ByteSet.words.asciiComplement
    case "s": ascii = .spaces
    case "S": ascii = ByteSet.spaces.asciiComplement
    case "h": ascii = ByteSet(ascii: [0x09...0x09, 0x20...0x20])
    case "p", "P": return property(isNegated: scalar == "P")
    default: return nil
    }
    place += 2
    return (nil, ascii)
  }

  /// `\p{Lu}`
  private mutating func property(isNegated: Bool) -> (literal: Unicode.Scalar?, ascii: ByteSet?)? {
    place += 2
    guard next == "{" else { return nil }
    place += 1
    let start = place
    while let scalar = next, scalar.isASCII, scalar.isLetterOrDigit { place += 1 }
    let name = text(from: start)
    guard next == "}" else { return nil }
    place += 1
    guard let set = ByteSet.asciiOfProperty(name) else { return (nil, nil) }
    return (nil, isNegated ? set.asciiComplement : set)
  }
}

extension Unicode.Scalar {
  fileprivate var isLetterOrDigit: Bool {
    ("0"..."9").contains(self) || ("a"..."z").contains(self) || ("A"..."Z").contains(self)
  }
}

extension ByteSet {
  init(ascii ranges: [ClosedRange<UInt8>]) {
    self.init()
    for range in ranges { for byte in range { insert(byte) } }
  }

  static let digits = ByteSet(ascii: [0x30...0x39])
  static let words = ByteSet(ascii: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let spaces = ByteSet(ascii: [0x09...0x0D, 0x20...0x20])

  /// With all bytes that are not ASCII.
  var withAllOthers: ByteSet {
    var set = self
    for byte in 0x80...0xFF as ClosedRange<UInt8> { set.insert(byte) }
    return set
  }

  /// All ASCII characters that are not in it.
  var asciiComplement: ByteSet {
    var set = ByteSet()
    for byte in 0..<0x80 as Range<UInt8> where !contains(byte) { set.insert(byte) }
    return set
  }

  mutating func formUnion(_ other: ByteSet) {
    for byte in 0..<0x80 as Range<UInt8> where other.contains(byte) { insert(byte) }
  }

  /// The ASCII characters of a general category; `nil`: not known here.
  static func asciiOfProperty(_ name: String) -> ByteSet? {
    switch name {
    case "L": ByteSet(ascii: [0x41...0x5A, 0x61...0x7A])
    case "Lu": ByteSet(ascii: [0x41...0x5A])
    case "Ll": ByteSet(ascii: [0x61...0x7A])
    case "N", "Nd": digits
    case "Cc": ByteSet(ascii: [0x00...0x1F, 0x7F...0x7F])
    case "Z", "Zs": ByteSet(ascii: [0x20...0x20])
    case "M", "Mn", "Mc", "Me", "Cf", "Co", "Cs", "Cn", "Lm", "Lo", "Lt", "Nl", "No", "Zl", "Zp": ByteSet()
    default: nil
    }
  }
}
