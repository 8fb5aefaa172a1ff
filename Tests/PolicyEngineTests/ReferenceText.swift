/// Globs, templates and letters.
extension ReferenceEvaluator {
  func tagValue(_ template: String, _ request: PlainRequest) -> String? {
    resolve(template, request).flatMap { (1...256).contains($0.unicodeScalars.count) ? $0 : nil }
  }

  /// What a template is worked out to.
  ///
  /// - Parameter escaping: in a glob what is put in stands for itself, so its wildcards are set apart.
  func resolve(_ template: String, _ request: PlainRequest, escaping: Bool = false) -> String? {
    guard template.utf8.contains(UInt8(ascii: "$")) else { return template }
    var result = ""
    var rest = template[...]
    while let start = rest.range(of: "${") {
      result += rest[..<start.lowerBound]
      guard let end = rest.range(of: "}") else { return nil }
      let name = String(rest[start.upperBound..<end.lowerBound])
      let value: String? =
        switch name {
        case "tenant.id": tenant.id
        case "request.appInstanceId": request.appInstance.split(separator: "/").last.map(String.init)
        default: tenant.labels[String(name.dropFirst("tenant.labels.".count))]
        }
      guard let value else { return nil }
      result += escaping ? value.map { "*?\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() : value
      rest = rest[end.upperBound...]
    }
    return result + rest
  }

  /// By the blocks from which the generator takes its letters: UTS #39 section 5.1 for these few.
  func isOfOneScript(_ text: String) -> Bool {
    var possible: Set<String> = ["Latin", "Greek", "Cyrillic", "Japanese", "Korean"]
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F: possible.formIntersection(["Latin"])
      case 0x391...0x3C9: possible.formIntersection(["Greek"])
      case 0x400...0x45F: possible.formIntersection(["Cyrillic"])
      case 0x3041...0x3096: possible.formIntersection(["Japanese"])
      case 0x4E00...0x9FFF: possible.formIntersection(["Japanese", "Korean"])
      case 0xAC00...0xD7A3: possible.formIntersection(["Korean"])
      default: break
      }
    }
    return !possible.isEmpty
  }

  func same(_ one: String, _ other: String) -> Bool { Array(one.utf8) == Array(other.utf8) }

  func sameIgnoringCase(_ one: String, _ other: String) -> Bool {
    same(one.uppercased().lowercased(), other.uppercased().lowercased())
  }

  func globIgnoringCase(_ pattern: String, _ text: String) -> Bool {
    glob(pattern, text) || glob(pattern.uppercased().lowercased(), text.uppercased().lowercased())
  }

  func glob(_ pattern: String, _ text: String) -> Bool {
    glob(Array(pattern.unicodeScalars), 0, Array(text.unicodeScalars), 0)
  }

  /// What is left of the pattern against what is left of the text. By places, since slices cost most of a debug build's
  /// time.
  private func glob(
    _ pattern: [Unicode.Scalar], _ place: Int, _ text: [Unicode.Scalar], _ index: Int
  ) -> Bool {
    if place == pattern.count { return index == text.count }
    switch pattern[place] {
    case "*":
      return glob(pattern, place + 1, text, index)
        || (index < text.count && glob(pattern, place, text, index + 1))
    case "?":
      return index < text.count && glob(pattern, place + 1, text, index + 1)
    case "\\":
      return index < text.count && place + 1 < pattern.count && text[index] == pattern[place + 1]
        && glob(pattern, place + 2, text, index + 1)
    default:
      return index < text.count && text[index] == pattern[place] && glob(pattern, place + 1, text, index + 1)
    }
  }
}

extension Substring {
  /// Where `text` first stands.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
