/// Sections 3 and 4: which policies match, and what a `when` means.
extension ReferenceEvaluator {
  func matches(_ match: PlainMatch, _ request: PlainRequest) -> Bool {
    matchesAll(match, request) && !match.exclude.contains { matchesAll($0, request) }
  }

  /// What protection goes by: that of `match` and `exclude` which does not hang on the operation.
  func concerns(_ match: PlainMatch, _ request: PlainRequest) -> Bool {
    func withoutOperations(_ match: PlainMatch) -> PlainMatch {
      var match = match
      match.operations = nil
      return match
    }
    return matchesAll(withoutOperations(match), request)
      && !match.exclude.contains { exclude in
        let takesInAll =
          exclude.operations.map { globs in
            PlainRequest.operations.allSatisfy { operation in globs.contains { glob($0, operation) } }
          } ?? true
        return takesInAll && matchesAll(withoutOperations(exclude), request)
      }
  }

  private func matchesAll(_ match: PlainMatch, _ request: PlainRequest) -> Bool {
    (match.tenants.map { $0.contains { glob($0, tenant.id) } } ?? true)
      && (match.appInstances.map { $0.contains { glob($0, request.appInstance) } } ?? true)
      && (match.operations.map { $0.contains { glob($0, request.operation) } } ?? true)
      && (match.tenantLabels ?? [:]).allSatisfy { name, globs in
        tenant.labels[name].map { value in globs.contains { glob($0, value) } } ?? false
      }
  }

  enum Truth { case yes, no, unknown }

  private enum Fact {
    case unknown
    case absent
    case text(String)
    case number(Int)
  }

  /// As a policy takes it: unknown counts as held.
  func holds(_ when: PlainWhen?, _ asked: PlainRequest) -> Bool {
    when.map { truth($0, asked) != .no } ?? true
  }

  func truth(_ when: PlainWhen, _ asked: PlainRequest) -> Truth {
    var parts = when.conditions.map { truth($0.condition, fact($0.field, asked)) }
    if let all = when.all { parts.append(conjunction(all.map { truth($0, asked) })) }
    if let any = when.any { parts.append(negation(conjunction(any.map { negation(truth($0, asked)) }))) }
    for denied in when.not { parts.append(negation(truth(denied, asked))) }
    return conjunction(parts)
  }

  private func conjunction(_ parts: [Truth]) -> Truth {
    if parts.contains(.no) { return .no }
    return parts.contains(.unknown) ? .unknown : .yes
  }

  private func negation(_ truth: Truth) -> Truth {
    switch truth {
    case .yes: .no
    case .no: .yes
    case .unknown: .unknown
    }
  }

  private func truth(_ condition: PlainWhen.Condition, _ fact: Fact) -> Truth {
    let holds: Bool
    switch (condition, fact) {
    case (_, .unknown): return .unknown
    case (.present(let wanted), .absent): holds = !wanted
    case (.present(let wanted), _): holds = wanted
    case (.globs(let globs), .text(let text)): holds = globs.contains { glob($0, text) }
    case (.pattern(let pattern), .text(let text)): holds = pattern.matchesWhole(Array(text.utf8), [])
    case (.range(let least, let most), .number(let number)):
      holds = number >= least ?? .min && number <= most ?? .max
    default: holds = false
    }
    return holds ? .yes : .no
  }

  private func fact(_ field: String, _ request: PlainRequest) -> Fact {
    func text(_ value: String?) -> Fact { value.map { .text($0) } ?? .absent }
    func nonempty(_ value: String?) -> Fact {
      hasTexts(request) ? text(value.flatMap { $0.isEmpty ? nil : $0 }) : .unknown
    }
    switch field {
    case "appInstanceUserId": return .text(request.userID)
    case "name": return nonempty(request.name)
    case "metadata": return nonempty(request.metadata)
    case "expirationDays":
      return carriesDays(request) ? request.days.map { .number($0) } ?? .absent : .unknown
    case "tenant.id": return .text(tenant.id)
    default: break
    }
    if field.hasPrefix("tenant.labels.") {
      return text(tenant.labels[String(field.dropFirst("tenant.labels.".count))])
    }
    return tag(String(field.dropFirst("tags.".count)), request)
  }

  private func tag(_ key: String, _ request: PlainRequest) -> Fact {
    guard carriesTags(request),
      !request.tags.contains(where: { sameIgnoringCase($0.key, key) && !same($0.key, key) })
    else { return .unknown }
    if let tag = request.tags.first(where: { same($0.key, key) }) { return .text(tag.value) }
    return request.operation == "CreateAppInstanceUser" ? .absent : .unknown
  }

  private func hasTexts(_ request: PlainRequest) -> Bool {
    ["CreateAppInstanceUser", "UpdateAppInstanceUser"].contains(request.operation)
  }

  func carriesDays(_ request: PlainRequest) -> Bool {
    ["CreateAppInstanceUser", "PutAppInstanceUserExpirationSettings"].contains(request.operation)
  }

  func carriesTags(_ request: PlainRequest) -> Bool {
    ["CreateAppInstanceUser", "TagResource"].contains(request.operation)
  }
}

extension PlainWhen {
  /// The keys of the tags that it asks for, wherever they stand in it.
  var keys: [String] {
    conditions.filter { $0.field.hasPrefix("tags.") }.map { String($0.field.dropFirst("tags.".count)) }
      + ((all ?? []) + (any ?? []) + not).flatMap(\.keys)
  }
}
