/// What has smaller forms of its own: each the same but for one thing less.
protocol Shrinking {
  var smaller: [Self] { get }
}

extension Shrinking {
  func with<Value>(_ part: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
    var copy = self
    copy[keyPath: part] = value
    return copy
  }

  func dropping<Value>(_ part: WritableKeyPath<Self, Value?>) -> [Self] {
    self[keyPath: part] == nil ? [] : [with(part, nil)]
  }

  func clearing(_ part: WritableKeyPath<Self, Bool>) -> [Self] {
    self[keyPath: part] ? [with(part, false)] : []
  }

  func removing<Element>(_ list: WritableKeyPath<Self, [Element]>) -> [Self] {
    self[keyPath: list].indices.map { index in
      var copy = self
      copy[keyPath: list].remove(at: index)
      return copy
    }
  }

  /// Down to one.
  func thinning<Element>(_ list: WritableKeyPath<Self, [Element]?>) -> [Self] {
    guard let elements = self[keyPath: list], elements.count > 1 else { return [] }
    return elements.indices.map { index in
      var copy = elements
      copy.remove(at: index)
      return with(list, copy)
    }
  }

  func shrinking<Part: Shrinking>(_ part: WritableKeyPath<Self, Part>) -> [Self] {
    self[keyPath: part].smaller.map { with(part, $0) }
  }

  func shrinking<Part: Shrinking>(_ part: WritableKeyPath<Self, Part?>) -> [Self] {
    self[keyPath: part].map { $0.smaller.map { with(part, $0) } } ?? []
  }

  func shrinkingEach<Part: Shrinking>(_ list: WritableKeyPath<Self, [Part]>) -> [Self] {
    self[keyPath: list].indices.flatMap { index in
      self[keyPath: list][index].smaller.map { smaller in
        var copy = self
        copy[keyPath: list][index] = smaller
        return copy
      }
    }
  }

  func shrinkingEach<Part: Shrinking>(_ list: WritableKeyPath<Self, [Part]?>) -> [Self] {
    guard let parts = self[keyPath: list] else { return [] }
    return parts.indices.flatMap { index in
      parts[index].smaller.map { smaller in
        var copy = parts
        copy[index] = smaller
        return with(list, copy)
      }
    }
  }
}

/// Policies and exceptions with one rule or condition less.
extension PlainPolicy: Shrinking {
  var smaller: [PlainPolicy] {
    dropping(\.when) + shrinking(\.when) + removing(\.mutable) + shrinking(\.match) + dropping(\.allowedKeys)
      + dropping(\.maxCount) + dropping(\.minDays) + dropping(\.maxDays) + dropping(\.defaultDays)
      + dropping(\.maxBytes) + clearing(\.expirationRequired) + clearing(\.clamps)
      + clearing(\.metadataIsJSON)
      + removing(\.required) + removing(\.set) + removing(\.forbiddenKeys) + removing(\.metadataForbidden)
      + dropping(\.metadataForbiddenFrom) + shrinking(\.metadataForbiddenFrom)
      + dropping(\.tagsMode) + dropping(\.expirationMode) + dropping(\.metadataMode)
      + shrinking(\.userID) + shrinking(\.userName) + shrinkingEach(\.required)
  }
}

extension PlainPolicy.Strings: Shrinking {
  var smaller: [PlainPolicy.Strings] {
    dropping(\.prefix) + dropping(\.pattern) + dropping(\.minLength) + dropping(\.maxLength)
      + removing(\.forbidden) + clearing(\.trimmed) + clearing(\.singleScript) + dropping(\.mode)
      + dropping(\.forbiddenFrom) + shrinking(\.forbiddenFrom)
  }
}

extension PlainPolicy.Required: Shrinking {
  var smaller: [PlainPolicy.Required] {
    dropping(\.values) + dropping(\.pattern) + dropping(\.standard) + dropping(\.mode)
      + dropping(\.valuesFrom) + shrinking(\.valuesFrom)
  }
}

extension PlainLines: Shrinking {
  var smaller: [PlainLines] { removing(\.lines) }
}

extension PlainMatch: Shrinking {
  var smaller: [PlainMatch] {
    dropping(\.tenants) + dropping(\.appInstances) + dropping(\.operations) + dropping(\.tenantLabels)
      + removing(\.exclude) + shrinkingEach(\.exclude)
  }
}

extension PlainWhen: Shrinking {
  var smaller: [PlainWhen] {
    removing(\.conditions) + dropping(\.all) + dropping(\.any) + removing(\.not) + thinning(\.all)
      + thinning(\.any)
      + shrinkingEach(\.all)
      + shrinkingEach(\.any) + shrinkingEach(\.not)
  }
}

extension PlainException: Shrinking {
  var smaller: [PlainException] {
    dropping(\.rules) + dropping(\.when) + shrinking(\.when) + shrinking(\.match) + removing(\.policies)
  }
}
