internal import Primitives

extension BoundPolicy {
  /// Adds defaults and sets tags. Ceilings come later: see `clamp`.
  func fill(
    _ request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    if governance.checksAllTags, let tags {
      addDefaults(tags, to: &request, &recorder)
      assign(tags, in: &request, &recorder)
    }
    if governance.checksExpiration, request.expirationDays == nil, let given = expiration?.defaultDays {
      request.expirationDays = given.days
      request.expirationCriterion = GovernedRequest.createdTimestamp
      recorder.change(
        .expirationRequired, of: self, field: FieldName.expirationDays, from: nil, to: given.text)
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

  private func addDefaults(
    _ tags: TagChecks, to request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    for required in tags.required {
      // One that cannot be worked out leaves the tag missing, which the checks then say.
      guard let template = required.defaultValue, !request.hasTag(required.key),
        let value = try? template.tagValue(for: request)
      else { continue }
      request.tags.append(.init(key: required.key.text, value: value))
      recorder.change(.tagsRequired, of: self, field: required.field, from: nil, to: value)
    }
  }

  private func assign(
    _ tags: TagChecks, in request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    for assigned in tags.assigned {
      // One that cannot be worked out leaves the tag as it is, and the checks refuse.
      guard let value = try? assigned.value.tagValue(for: request) else { continue }
      guard let place = request.place(ofTag: assigned.key.text) else {
        request.tags.append(.init(key: assigned.key.text, value: value))
        recorder.change(.tagsRequired, of: self, field: assigned.field, from: nil, to: value)
        continue
      }
      let given = request.tags[place].value
      guard given != value else { continue }
      request.tags[place].value = value
      recorder.change(.tagsRequired, of: self, field: assigned.field, from: given, to: value)
    }
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
