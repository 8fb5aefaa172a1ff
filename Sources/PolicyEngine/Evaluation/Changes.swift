internal import Primitives

/// One thing that a policy may put into a request. A class, so that a request's way through a list of them copies nothing.
final class Filling: Sendable {
  enum Kind: BitwiseCopyable {
    /// A required tag's default.
    case defaulted
    case assigned
    case days
  }

  let kind: Kind
  /// Of a tag.
  let tag: FilledTag?
  let days: Int

  private init(_ kind: Kind, _ tag: FilledTag?, days: Int = 0) {
    self.kind = kind
    self.tag = tag
    self.days = days
  }

  static func defaulted(_ tag: FilledTag) -> Filling { Filling(.defaulted, tag) }
  static func assigned(_ tag: FilledTag) -> Filling { Filling(.assigned, tag) }
  static func days(_ days: Int) -> Filling { Filling(.days, nil, days: days) }

  func applies(to governance: Governance) -> Bool {
    kind == .days ? governance.checksExpiration : governance.checksAllTags
  }
}

/// A tag that a policy may put in.
final class FilledTag: Sendable {
  let key: FoldedKey
  let value: BoundTemplate
  /// As changes name it, `Tags.Owner`, and behind that the value, if it is the same for all requests: so that both are
  /// put into a request at once.
  let bytes: [UInt8]
  let nameCount: Int

  init(_ key: FoldedKey, _ value: BoundTemplate) {
    self.key = key
    self.value = value
    let name = Array(PolicyField.tag(key.text).utf8)
    bytes = name + (value.constant?.utf8 ?? [])
    nameCount = name.count
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
    guard let tag = filling.tag else { return fill(days: filling.days, &request, &recorder) }
    if filling.kind == .defaulted {
      addDefault(tag, to: &request, &recorder)
    } else {
      assign(tag, in: &request, &recorder)
    }
  }

  private func fill(
    days: Int, _ request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    guard request.expirationDays == nil else { return }
    let change = request.setExpiration(days: days, by: hash)
    recorder.change(.expirationRequired, of: self, change, in: request)
  }

  /// Lowers the days to the policy's ceiling. After all defaults, so that a default of a policy with a later name
  /// is lowered like a caller's own choice, and of several ceilings the lowest holds in any order.
  func clamp(
    _ request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    guard governance.checksExpiration, let expiration, expiration.clamps,
      let most = expiration.maxDays, let days = request.expirationDays, days > most
    else { return }
    let change = request.setExpiration(days: most, by: hash)
    recorder.change(.expirationMaxDays, of: self, change, in: request)
  }

  private func addDefault(
    _ tag: FilledTag, to request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    // One that cannot be worked out leaves the tag missing, which the checks then say.
    guard !request.hasTag(tag.key), tag.value.tagFailure(for: request) == nil else { return }
    let change = request.addTag(tag, by: hash)
    recorder.change(.tagsRequired, of: self, change, in: request)
  }

  private func assign(
    _ tag: FilledTag, in request: inout GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    // One that cannot be worked out leaves the tag as it is, and the checks refuse.
    guard tag.value.tagFailure(for: request) == nil else { return }
    let change: FactChange
    if let place = request.place(ofTag: tag.key) {
      guard !tag.value.isEqual(to: request.tagValue(place), for: request) else { return }
      change = request.setTag(place, to: tag.value.put(into: &request), by: hash)
    } else {
      change = request.addTag(tag, by: hash)
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
