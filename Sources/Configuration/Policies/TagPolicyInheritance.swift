package import Patterns
package import Primitives
internal import StrictJSON

extension PolicyDocument {
  /// What the tag policies of a folder say of one tag key, after inheritance. A document that has this has no rules.
  package struct TagPolicy: Sendable {
    /// In the case that requests must write it in.
    package let key: Text
    /// `nil`: any value. An empty list accepts none, which forbids the tag.
    package let values: [Glob]?
    /// Where what breaks it is refused; elsewhere it is only reported.
    package let enforcedFor: TaggableResources
    /// Where it is reported that a new resource lacks the tag.
    package let reportedFor: TaggableResources
  }
}

/// The files of a folder as levels of an AWS organization: the first is the root's policy, each further one the child
/// of those before it. As AWS's "Inheritance operators" has it, child control holds for all levels below and can be
/// narrowed but not widened.
struct TagPolicyInheritance {
  /// What levels below may still do, and who said so.
  private struct Control {
    var allowed = Set(TagPolicyOperator.allCases)
    var limitedBy: String?

    mutating func narrow(to operators: TagPolicyLevel.Operators?, by file: String) {
      guard let operators, !allowed.isSubset(of: operators) else { return }
      allowed.formIntersection(operators)
      limitedBy = file
    }
  }

  private struct Setting {
    /// `nil`: never given.
    var values: [Text]?
    var control = Control()

    mutating func apply(_ step: TagPolicyLevel.Setting.Step) {
      switch step.verb {
      case .assign: values = step.values
      case .append:
        let known = values ?? []
        values = known + step.values.filter { !known.contains($0) }
      case .remove:
        guard let known = values, !known.isEmpty else { return }
        let left = known.filter { !step.values.contains($0) }
        // An empty list that somebody assigns is another thing: it accepts nothing.
        values = left.isEmpty ? nil : left
      }
    }
  }

  private struct Entry {
    let file: String
    let key: PolicyDocument.Located<Text>
    var settings: [TagPolicySetting: Setting] = [:]
    var control = Control()
  }

  private var entries: [Text: Entry] = [:]
  private var control = Control()

  /// Adds the next level; says of each operator without effect why it has none.
  mutating func add(_ level: TagPolicyLevel, _ reading: Reading) {
    for (key, statement) in level.statements {
      // The policy key's case does not count.
      let name = Text(key.value.string.lowercased())
      var entry = entries[name] ?? Entry(file: reading.file, key: key)
      for kind in TagPolicySetting.allCases {
        guard let given = statement.settings[kind] else { continue }
        var setting = entry.settings[kind] ?? Setting()
        for step in given.steps {
          let controls = [control, entry.control, setting.control]
          if let limit = controls.first(where: { !$0.allowed.contains(step.verb) }) {
            warn(about: step, on: kind, of: key.value, limit, reading)
          } else {
            let wasGiven = setting.values != nil
            setting.apply(step)
            if kind == .value, wasGiven, setting.values == nil {
              reading.warning(
                at: step.position,
                "no value of \(quoted(key.value.string)) is left, and so any is accepted, as with AWS")
            }
          }
        }
        setting.control.narrow(to: given.childOperators, by: reading.file)
        entry.settings[kind] = setting
      }
      entry.control.narrow(to: statement.childOperators, by: reading.file)
      entries[name] = entry
    }
    control.narrow(to: level.childOperators, by: reading.file)
  }

  private func warn(
    about step: TagPolicyLevel.Setting.Step, on kind: TagPolicySetting, of key: Text, _ limit: Control,
    _ reading: Reading
  ) {
    let allowed = TagPolicyOperator.allCases.filter(limit.allowed.contains).map { quoted($0.rawValue) }
    let list = allowed.isEmpty ? "no operator" : "only " + allowed.joined(separator: ", ")
    reading.warning(
      at: step.position,
      "\(quoted(step.verb.rawValue)) on \(quoted(kind.rawValue)) of \(quoted(key.string)) has no effect:"
        + " \(quoted(limit.limitedBy ?? "")) allows child policies \(list)")
  }

  /// The effective policy, one document a tag key, in the order of the keys.
  var documents: [PolicyDocument] {
    entries.sorted { $0.key < $1.key }.map { name, entry in
      let policy = Self.effective(entry, named: name)
      var document = PolicyDocument(
        file: entry.file, name: .init(Text("tag-policy:\(policy.key.string)"), at: entry.key.position))
      document.mode = policy.enforcedFor.isEmpty ? .warn : .enforce
      document.tagPolicy = policy
      return document
    }
  }

  private static func effective(_ entry: Entry, named name: Text) -> PolicyDocument.TagPolicy {
    func resources(_ kind: TagPolicySetting) -> TaggableResources {
      (entry.settings[kind]?.values ?? []).reduce(into: []) { $0.formUnion(.init(typeName: $1.string)) }
    }
    return .init(
      // Lower case is AWS's default.
      key: entry.settings[.key]?.values?.first ?? name,
      values: entry.settings[.value]?.values.map { $0.map(glob) }, enforcedFor: resources(.enforcedFor),
      reportedFor: resources(.reportedFor))
  }

  /// Only `*` is a wildcard; `?` stands for itself.
  private static func glob(_ value: Text) -> Glob {
    let pieces = value.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
    var parts: [Glob.Part] = []
    for (index, piece) in pieces.enumerated() {
      if index > 0 { parts.append(.glob("*")) }
      parts.append(.literal(Text(uncheckedUTF8: Array(piece))))
    }
    return Glob(parts: parts)
  }
}
