internal import Primitives

/// One thing that a policy may put into a request.
enum Filling: Sendable {
  /// A required tag's default.
  case defaulted(RequiredTag, BoundTemplate)
  case assigned(AssignedTag)
  case days(Int)

  func applies(to governance: Governance) -> Bool {
    switch self {
    case .defaulted, .assigned: governance.checksAllTags
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
    case .defaulted(let required, let template): addDefault(template, of: required, to: &request, &recorder)
    case .assigned(let tag): assign(tag, in: &request, &recorder)
    case .days(let days):
      guard request.expirationDays == nil else { return }
      let change = request.setExpiration(days: days)
      recorder.change(.expirationRequired, of: self, change, in: request)
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
    let change = request.setExpiration(days: most)
    recorder.change(.expirationMaxDays, of: self, change, in: request)
  }

  private func addDefault(
    _ template: BoundTemplate, of required: RequiredTag, to request: inout GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    // One that cannot be worked out leaves the tag missing, which the checks then say.
    guard !request.hasTag(required.key), template.tagFailure(for: request) == nil else { return }
    let change = request.addTag(required.key, value: template.put(into: &request))
    recorder.change(.tagsRequired, of: self, change, in: request)
  }

  private func assign(
    _ assigned: AssignedTag, in request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    let template = assigned.value
    // One that cannot be worked out leaves the tag as it is, and the checks refuse.
    guard template.tagFailure(for: request) == nil else { return }
    let change: FactChange
    if let place = request.place(ofTag: assigned.key) {
      guard !template.isEqual(to: request.tagValue(place), for: request) else { return }
      change = request.setTag(place, to: template.put(into: &request))
    } else {
      change = request.addTag(assigned.key, value: template.put(into: &request))
    }
    recorder.change(.tagsRequired, of: self, change, in: request)
  }
}

extension GovernedRequest {
  /// Where the tag with exactly this key stands.
  func place(ofTag key: FoldedKey) -> Int? {
    let fingerprint = key.fingerprint
    for index in tags.indices where tags[index].fingerprint == fingerprint {
      if self[tags[index].key].holds(key.text) { return index }
    }
    return nil
  }

  /// Whether it has a tag with this key in another case.
  func hasTag(inOtherCase key: FoldedKey) -> Bool {
    let fingerprint = key.fingerprint
    for index in tags.indices where tags[index].fingerprint == fingerprint {
      if key.differsOnlyInCase(from: self[tags[index].key]) { return true }
    }
    return false
  }

  fileprivate func hasTag(_ key: FoldedKey) -> Bool {
    place(ofTag: key) != nil || hasTag(inOtherCase: key)
  }
}
