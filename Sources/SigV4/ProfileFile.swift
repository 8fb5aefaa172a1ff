/// An AWS profile file (`credentials` or `config`) as botocore reads it, which is as Python's
/// `configparser` does: sections in brackets, `name = value` or `name: value`, names in any case,
/// whole-line comments with `#` or `;`, deeper indented lines as more of the value before, a
/// `[DEFAULT]` section that every other one inherits, and nothing twice.
package struct ProfileFile: Sendable {
  /// Section header, as it stands in the brackets, to its options in lower case.
  private var sections: [String: [String: String]] = [:]
  private var inherited: [String: String] = [:]

  package init(reading text: String) throws(ProfileFileProblem) {
    var reader = Reader()
    var number = 0
    for line in Self.lines(of: text) {
      number += 1
      try reader.take(line, number: number)
    }
    (sections, inherited) = reader.finished()
  }

  /// The options of `[profile]`, as the credentials file names its sections.
  package func section(_ profile: String) -> [String: String]? { inheriting(sections[profile]) }

  /// The options of `[profile NAME]` or `[default]`, as the config file names its sections. NAME may
  /// be quoted.
  package func profileSection(_ profile: String) -> [String: String]? {
    if profile == "default", let section = sections["default"] { return inheriting(section) }
    // Quoted and bare headers may name one profile; the choice does not depend on hashing.
    let header = sections.keys.filter { Self.profileName(of: $0) == profile }.min()
    return header.flatMap { inheriting(sections[$0]) }
  }

  private func inheriting(_ options: [String: String]?) -> [String: String]? {
    options?.merging(inherited) { own, _ in own }
  }

  /// `NAME` for a header `profile NAME`, `profile "NAME"` or `profile 'NAME'`.
  private static func profileName(of header: String) -> String? {
    let scalars = header.unicodeScalars
    guard let space = scalars.firstIndex(where: \.isBlank),
      scalars[..<space].elementsEqual("profile".unicodeScalars)
    else { return nil }
    let name = trimmed(header[space...])
    for quote in ["\"", "'"] where name.count >= 2 && name.hasPrefix(quote) && name.hasSuffix(quote) {
      return String(name.dropFirst().dropLast())
    }
    return name.unicodeScalars.contains(where: \.isBlank) ? nil : name
  }

  /// Lines that end in LF, CRLF or CR. By scalars, because CRLF is one `Character`.
  private static func lines(of text: String) -> [Substring] {
    var lines: [Substring] = []
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    var index = start
    while index < scalars.endIndex {
      let scalar = scalars[index]
      let next = scalars.index(after: index)
      if scalar == "\n" || scalar == "\r" {
        lines.append(text[start..<index])
        start = next
        if scalar == "\r", next < scalars.endIndex, scalars[next] == "\n" {
          start = scalars.index(after: next)
        }
        index = start
      } else {
        index = next
      }
    }
    if start < scalars.endIndex { lines.append(text[start...]) }
    return lines
  }

  fileprivate static func trimmed(_ text: Substring) -> String {
    var rest = text.unicodeScalars
    while let first = rest.first, first.isBlank { rest.removeFirst() }
    while let last = rest.last, last.isBlank { rest.removeLast() }
    return String(rest)
  }
}

/// Why a profile file cannot be read, and on which line (from 1).
package enum ProfileFileProblem: Error, Hashable, Sendable {
  case optionOutsideSection(line: Int)
  case notAnOption(line: Int)
  case sectionGivenTwice(name: String, line: Int)
  case optionGivenTwice(name: String, line: Int)
}

/// Reads line by line: a section, an option, or more of the option before.
private struct Reader {
  private var sections: [String: [String: [String]]] = [:]
  private var section: String?
  private var option: String?
  private var indentation = 0
  private static let inheritedSection = "DEFAULT"

  mutating func take(_ line: Substring, number: Int) throws(ProfileFileProblem) {
    let text = ProfileFile.trimmed(line)
    guard let first = text.unicodeScalars.first else {
      extendOption(with: "")
      return
    }
    if first == "#" || first == ";" { return }
    let indentation = line.unicodeScalars.prefix(while: \.isBlank).count
    if option != nil && indentation > self.indentation {
      extendOption(with: text)
      return
    }
    self.indentation = indentation
    if first == "[", let header = Self.header(in: text) {
      try begin(section: header, number: number)
    } else {
      try add(option: text, number: number)
    }
  }

  /// Sections and what they inherit; several lines of a value are joined.
  func finished() -> ([String: [String: String]], inherited: [String: String]) {
    var joined = sections.mapValues { options in
      options.mapValues { lines in
        ProfileFile.trimmed(Substring(lines.joined(separator: "\n")))
      }
    }
    let inherited = joined.removeValue(forKey: Self.inheritedSection) ?? [:]
    return (joined, inherited)
  }

  private mutating func extendOption(with text: String) {
    guard let section, let option else { return }
    sections[section]?[option]?.append(text)
  }

  private mutating func begin(section name: String, number: Int) throws(ProfileFileProblem) {
    if sections[name] != nil && name != Self.inheritedSection {
      throw .sectionGivenTwice(name: name, line: number)
    }
    sections[name] = sections[name] ?? [:]
    section = name
    option = nil
  }

  private mutating func add(option text: String, number: Int) throws(ProfileFileProblem) {
    guard let section else { throw .optionOutsideSection(line: number) }
    let scalars = text.unicodeScalars
    guard let delimiter = scalars.firstIndex(where: { $0 == "=" || $0 == ":" }),
      delimiter > scalars.startIndex
    else { throw .notAnOption(line: number) }
    let name = ProfileFile.trimmed(text[..<delimiter]).lowercased()
    guard sections[section]?[name] == nil else {
      throw .optionGivenTwice(name: name, line: number)
    }
    sections[section]?[name] = [ProfileFile.trimmed(text[scalars.index(after: delimiter)...])]
    option = name
  }

  /// What stands between the first bracket and the last; what follows it is ignored.
  private static func header(in text: String) -> String? {
    let scalars = text.unicodeScalars
    guard let end = scalars.lastIndex(of: "]") else { return nil }
    let start = scalars.index(after: scalars.startIndex)
    return start < end ? String(text[start..<end]) : nil
  }
}

extension Unicode.Scalar {
  fileprivate var isBlank: Bool { properties.isWhitespace }
}
