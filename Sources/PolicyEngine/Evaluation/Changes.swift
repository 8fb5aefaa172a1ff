internal import Primitives

/// One thing that a policy may put into a request.
enum Filling: Sendable {
  /// A required tag's default.
  case standard(RequiredTag, BoundTemplate)
  case assigned(AssignedTag)
  case days(Int, Text)

  func applies(to governance: Governance) -> Bool {
    switch self {
    case .standard, .assigned: governance.checksAllTags
    case .days: governance.checksExpiration
    }
  }
}

extension BoundPolicy {
  /// Adds defaults and sets tags. Ceilings come later: see `clamp`.
  func fill(
    _ request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    for filling in fillings where filling.applies(to: governance) { fill(filling, &request, &recorder) }
  }

  func fill(
    _ filling: Filling, _ request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    switch filling {
    case .standard(let required, let template): addDefault(template, of: required, to: &request, &recorder)
    case .assigned(let tag): assign(tag, in: &request, &recorder)
    case .days(let days, let text):
      guard request.expirationDays == nil else { return }
      request.expirationDays = days
      request.expirationCriterion = GovernedRequest.createdTimestamp
      recorder.change(.expirationRequired, of: self, field: FieldName.expirationDays, from: nil, to: text)
    }
  }

  /// Lowers the days to the policy's ceiling. After all defaults, so that a default of a policy with a later name
  /// is lowered like a caller's own choice, and of several ceilings the lowest holds in any order.
  func clamp(
    _ request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    guard governance.checksExpiration, let expiration, expiration.clamps,
      let most = expiration.maxDays, let days = request.expirationDays, days > most
    else { return }
    request.expirationDays = most
    recorder.change(
      .expirationMaxDays, of: self, field: FieldName.expirationDays, from: Text(decimal: days),
      to: Text(decimal: most))
  }

  private func addDefault(
    _ template: BoundTemplate, of required: RequiredTag, to request: inout GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    // One that cannot be worked out leaves the tag missing, which the checks then say.
    guard !request.hasTag(required.key), let value = try? template.tagValue(for: request) else { return }
    request.tags.append(.init(key: required.key.text, value: value))
    recorder.change(.tagsRequired, of: self, field: required.field, from: nil, to: value)
  }

  private func assign(
    _ assigned: AssignedTag, in request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    // One that cannot be worked out leaves the tag as it is, and the checks refuse.
    guard let value = try? assigned.value.tagValue(for: request) else { return }
    guard let place = request.place(ofTag: assigned.key.text) else {
      request.tags.append(.init(key: assigned.key.text, value: value))
      recorder.change(.tagsRequired, of: self, field: assigned.field, from: nil, to: value)
      return
    }
    let given = request.tags[place].value
    guard given != value else { return }
    request.tags[place].value = value
    recorder.change(.tagsRequired, of: self, field: assigned.field, from: given, to: value)
  }
}

extension GovernedRequest {
  /// Where the tag with exactly this key stands.
  func place(ofTag key: Text) -> Int? {
    let tags = tags.span
    for index in tags.indices where tags[index].key == key { return index }
    return nil
  }

  /// Whether it has a tag with this key in another case.
  func hasTag(inOtherCase key: FoldedKey) -> Bool {
    let tags = tags.span
    for index in tags.indices where key.differsOnlyInCase(from: tags[index].key) { return true }
    return false
  }

  fileprivate func hasTag(_ key: FoldedKey) -> Bool {
    place(ofTag: key.text) != nil || hasTag(inOtherCase: key)
  }
}

extension Text {
  init(decimal value: Int) {
    var digits: [UInt8] = []
    digits.append(decimal: value)
    self.init(uncheckedUTF8: digits)
  }
}
