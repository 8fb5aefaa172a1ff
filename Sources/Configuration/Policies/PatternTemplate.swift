internal import Patterns
package import Primitives

/// A regular expression in which facts of the tenant or the request stand: `${tenant.id}-[a-z]+`. What is put in stands
/// for its own characters, whatever they mean in a regular expression.
package struct PatternTemplate: Hashable, Sendable {
  /// As it stands in the policy.
  package let source: Text
  package let template: Template

  private var pieces: [Template.Piece] { template.pieces }

  /// `nil`: no template stands in it.
  ///
  /// One may stand wherever a character may, but in no class of characters, where a text has no meaning.
  init?(_ source: Text) throws(Rejection) {
    var scanner = PatternScanner(source)
    while let byte = scanner.rest.first {
      guard byte == UInt8(ascii: "$"), scanner.rest.dropFirst().first == UInt8(ascii: "{") else {
        scanner.step()
        continue
      }
      try scanner.readFact()
    }
    guard scanner.hasFacts else { return nil }
    if let obstacle = scanner.obstacle {
      throw Rejection(message: "templates and \(obstacle) cannot stand in one regular expression")
    }
    self.source = source
    template = Template(pieces: scanner.finish())
    // Whatever is put in is as good as this, so what is wrong with the rest shows here.
    do throws(PatternError) {
      _ = try Pattern(filled(by: { _ in "-" }))
    } catch {
      throw Rejection(message: "invalid pattern, whatever its templates stand for: \(error.message)")
    }
  }

  /// The regular expression with a value for each fact.
  package func filled(by value: (Template.Fact) -> Text) -> String {
    var filled = ""
    for (index, piece) in pieces.enumerated() {
      switch piece {
      case .written(let text): filled += text.string
      case .fact(let fact):
        let text = Self.quoted(value(fact))
        filled += standsAlone(at: index) ? text : "(?:\(text))"
      }
    }
    return filled
  }

  /// Whether what is put in means the same without a group: neither what is before it nor what is behind it can make
  /// something else of it. Fewer groups are easier to read, and quicker.
  private func standsAlone(at index: Int) -> Bool {
    if index + 1 < pieces.count {
      guard case .written(let next) = pieces[index + 1], let first = next.utf8.first,
        !"*+?{".utf8.contains(first)
      else { return false }
    }
    guard index > 0 else { return true }
    guard case .written(let previous) = pieces[index - 1], let last = previous.utf8.last else { return false }
    return "^|)-_".utf8.contains(last) && previous.utf8.dropLast().last != UInt8(ascii: "?")
  }

  /// A text as the regular expression that matches it and nothing else, under any options but that case is ignored.
  private static func quoted(_ text: Text) -> String {
    var quoted = ""
    for scalar in text.string.unicodeScalars {
      if scalar.value < 0x20 || scalar.value == 0x7F {
        quoted += "\\x{\(String(scalar.value, radix: 16))}"
        continue
      }
      if "\\^$.|?*+()[]{}# ".unicodeScalars.contains(scalar) { quoted += "\\" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted
  }
}

/// Goes through a regular expression and gathers its pieces.
private struct PatternScanner {
  private(set) var rest: ArraySlice<UInt8>
  private var pieces: [Template.Piece] = []
  private var written: [UInt8] = []
  /// How many bytes of a class of characters were passed, its bracket among them; `nil`: it is in none.
  private var classLength: Int?
  /// What stands in it that makes it hard to say where classes end and what is text.
  private(set) var obstacle: String?
  private(set) var hasFacts = false

  init(_ source: Text) { rest = Array(source.utf8)[...] }

  /// Passes what is no template.
  mutating func step() {
    guard let byte = rest.first else { return }
    if byte == UInt8(ascii: "\\") {
      if let next = rest.dropFirst().first, "QE".utf8.contains(next) { obstacle = "\\Q and \\E" }
      pass(min(2, rest.count))
    } else if classLength == nil {
      if byte == UInt8(ascii: "(") { lookAtGroup() }
      if byte == UInt8(ascii: "[") { classLength = 0 }
      pass(1)
    } else {
      stepInClass(byte)
    }
  }

  private mutating func stepInClass(_ byte: UInt8) {
    // A bracket that comes first, or after `^`, stands for itself.
    let isFirst = classLength == 1 || (classLength == 2 && written.last == UInt8(ascii: "^"))
    if byte == UInt8(ascii: "]"), !isFirst {
      classLength = nil
      pass(1)
    } else if byte == UInt8(ascii: "["), let length = lengthOfNamedClass() {
      pass(length)
    } else {
      pass(1)
    }
  }

  private mutating func lookAtGroup() {
    let next = rest.dropFirst()
    if next.first == UInt8(ascii: "*") { obstacle = "verbs such as (*ACCEPT)" }
    guard next.first == UInt8(ascii: "?") else { return }
    let flags = next.dropFirst().prefix { isASCIIAlphanumeric($0) || "^-".utf8.contains($0) }
    if flags.count(where: { $0 == UInt8(ascii: "x") }) > 1 { obstacle = "the option (?xx)" }
  }

  private mutating func pass(_ count: Int) {
    written += rest.prefix(count)
    rest = rest.dropFirst(count)
    if let length = classLength { classLength = length + count }
  }

  /// Of `[:alpha:]` and the like.
  private func lengthOfNamedClass() -> Int? {
    guard let kind = rest.dropFirst().first, ":.=".utf8.contains(kind) else { return nil }
    let letters = rest.dropFirst(2).prefix { isASCIIAlphanumeric($0) || $0 == UInt8(ascii: "^") }
    let end = rest.dropFirst(2 + letters.count)
    guard end.first == kind, end.dropFirst().first == UInt8(ascii: "]") else { return nil }
    return letters.count + 4
  }

  mutating func readFact() throws(Rejection) {
    guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
      throw Rejection(message: Template.SyntaxError.unclosed.message)
    }
    let name = rest[(rest.startIndex + 2)..<end]
    guard let fact = Template.Fact(name: name) else {
      throw Rejection(message: Template.SyntaxError.unknownFact(Text(uncheckedUTF8: Array(name))).message)
    }
    guard classLength == nil else {
      throw Rejection(
        message: "a template stands for a text, which has no meaning in a class of characters such as [a-z]")
    }
    endWritten()
    pieces.append(.fact(fact))
    hasFacts = true
    rest = rest[(end + 1)...]
  }

  private mutating func endWritten() {
    if !written.isEmpty { pieces.append(.written(Text(uncheckedUTF8: written))) }
    written = []
  }

  mutating func finish() -> [Template.Piece] {
    endWritten()
    return pieces
  }
}
