package import Patterns
package import Primitives

extension PolicyDocument {
  /// What a request must have for a policy, or an exception, to be about it.
  package indirect enum When: Sendable {
    case all([When])
    case any([When])
    case not(When)
    case condition(Field, Test)

    package enum Field: Hashable, Sendable {
      case userID, name, metadata, expirationDays
      case tag(Text)
      case tenantID
      case tenantLabel(Text)
    }

    package enum Test: Sendable {
      case globs([Glob])
      case pattern(Pattern)
      /// Of days, both ends included.
      case range(min: Int?, max: Int?)
      case present(Bool)
    }

    /// Every condition in it.
    package var conditions: [(field: Field, test: Test)] {
      switch self {
      case .all(let parts), .any(let parts): parts.flatMap(\.conditions)
      case .not(let part): part.conditions
      case .condition(let field, let test): [(field, test)]
      }
    }

    /// The keys of tags that it asks for, each once.
    package var tagKeys: [Text] {
      var keys: [Text] = []
      for case .tag(let key) in conditions.map(\.field) where !keys.contains(key) { keys.append(key) }
      return keys
    }
  }
}

extension PolicyDocument.When.Field {
  static let fixed: [(name: String, field: Self)] = [
    ("appInstanceUserId", .userID), ("name", .name), ("metadata", .metadata),
    ("expirationDays", .expirationDays), ("tenant.id", .tenantID),
  ]
  static let prefixes = ["tags.", "tenant.labels."]

  /// As a policy writes it; `nil`: it is no field.
  init?(_ written: String) {
    if let known = Self.fixed.first(where: { $0.name == written }) {
      self = known.field
    } else if let key = written.rest(behind: "tags.") {
      self = .tag(key)
    } else if let name = written.rest(behind: "tenant.labels.") {
      self = .tenantLabel(name)
    } else {
      return nil
    }
  }

  package var name: String {
    switch self {
    case .tag(let key): "tags.\(key.string)"
    case .tenantLabel(let name): "tenant.labels.\(name.string)"
    default: Self.fixed.first { $0.field == self }?.name ?? ""
    }
  }
}

extension String {
  /// What follows `prefix`; `nil`: it does not begin so, or nothing does.
  fileprivate func rest(behind prefix: String) -> Text? {
    utf8.count > prefix.utf8.count && hasPrefix(prefix) ? Text(String(dropFirst(prefix.count))) : nil
  }
}
