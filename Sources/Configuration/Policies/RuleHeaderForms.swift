internal import Primitives
internal import StrictJSON

extension PolicyDocument.RuleHeader {
  init(_ keys: Keys) {
    mode = keys.optional(
      "mode", Form<PolicyDocument.Mode>.choice().located,
      "Weakens the rule; the weakest of the rule's, its group's and the policy's holds.")
    message = keys.optional(
      "message", .remark("a line for the caller"), "Appended to what a caller is told whom the rule refuses.")
    help = keys.optional("help", .helpURL, "Shown behind what the rule refuses.")
  }
}

extension PolicyDocument.Mode {
  /// `off` is weaker than `warn`, and that than `enforce`.
  package static func weakest(_ modes: Self?...) -> Self {
    modes.contains(.off) ? .off : modes.contains(.warn) ? .warn : .enforce
  }
}

extension PolicyDocument {
  /// Every rule that can have a mode, with the modes above it.
  private var headers: [(header: RuleHeader, above: Mode)] {
    let groups = [
      appInstanceUserId?.header, userName?.header, tags?.header, expiration?.header, metadata?.header,
    ].compactMap { $0 }.map { ($0, mode) }
    let entries = (tags?.required ?? []).map { ($0.header, Mode.weakest(mode, tags?.header.mode?.value)) }
    return groups + entries
  }

  /// Whoever writes a mode that is stronger than the one above it expects something of it.
  func adviseAboutModes(_ keys: Keys) {
    for (header, above) in headers {
      guard let own = header.mode, Mode.weakest(own.value, above) != own.value else { continue }
      keys.warning(
        at: own.position,
        "\(quoted(own.value.rawValue)) does nothing here: the weakest mode holds, and above it stands"
          + " \(quoted(above.rawValue))")
    }
  }
}

extension PolicyDocument {
  /// What holds is then the caller's to change.
  func adviseAboutMutableKeys(_ keys: Keys) {
    let asked = when?.tagKeys ?? []
    for key in mutable {
      let name = quoted(key.value.string)
      if asked.contains(key.value) {
        keys.warning(
          at: key.position,
          "\(name) may be changed after creation, and with it whether this policy holds for the user")
      } else {
        keys.error(
          at: key.position,
          "\(name) is no key that \"when\" asks for\(suggestion(for: key.value.string, among: asked.map(\.string)))"
        )
      }
    }
  }
}

extension Form where Value == Text {
  /// A line that people are shown, callers among them.
  static func remark(_ accepted: String) -> Form {
    let longest = 512
    let accepted = "\(accepted), one line of 1 to \(longest) characters"
    return Form<Text>.parsed(
      accepted, schema: ["type": "string", "minLength": 1, "maxLength": .integer(Int64(longest))]
    ) { text throws(Rejection) in
      let scalars = text.unicodeScalars
      return (1...longest).contains(scalars.count) && scalars.allSatisfy(\.isInert) ? Text(text) : nil
    }
  }

  static var helpURL: Form {
    let start = "https://"
    let schema: JSONLiteral = [
      "type": "string", "pattern": "^https://[!-~]{1,500}$",
      "examples": ["https://wiki.example.com/policies"],
    ]
    return Form<Text>.parsed("an https URL of printable ASCII", schema: schema) { text throws(Rejection) in
      let rest = text.utf8.dropFirst(start.utf8.count)
      guard text.hasPrefix(start), (1...500).contains(rest.count),
        rest.allSatisfy({ (0x21...0x7E).contains($0) })
      else { return nil }
      return Text(text)
    }
  }
}
