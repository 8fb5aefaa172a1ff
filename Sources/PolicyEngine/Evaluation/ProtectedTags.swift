internal import Primitives

/// Why a tag of a user who is there already is not the caller's to change.
private enum Protection {
  case assigned(FoldedKey)
  /// The policy's `when` asks for it: with another value other rules would have held.
  case questioned(FoldedKey)
  case required(RequiredTag)

  var key: FoldedKey {
    switch self {
    case .assigned(let key), .questioned(let key): key
    case .required(let tag): tag.key
    }
  }

  var reason: String {
    switch self {
    case .assigned: "is set by policy"
    case .questioned: "decides which rules hold for the user"
    case .required: "is required by policy"
    }
  }
}

extension BoundPolicy {
  /// What holds whatever operations the policy matches: a tag that the policy sets or that its `when` asks for is not the
  /// caller's to write, and one that it sets, asks for or requires is not theirs to take away. In any case, because
  /// readers of tags differ in whether they tell cases apart (IAM conditions do not).
  ///
  /// - Parameter requiring: whether the policy holds, and so what it requires.
  func protect(
    _ request: borrowing GovernedRequest, as governance: Governance, requiring: Bool,
    _ recorder: inout some VerdictRecorder
  ) {
    if governance == .tagUser {
      for index in 0..<request.tagCount {
        let key = request.tagKey(index)
        let why = protection(of: key, request.tags[index].fingerprint)
        judge(why, key, accepted: "the request without this tag", &recorder)
      }
    } else if governance == .untagUser {
      for index in 0..<request.tagKeyCount {
        let key = request.tagKeyToRemove(index)
        let fingerprint = FoldedKey.fingerprint(of: key)
        let required = requiring ? tags?.required(inAnyCase: key, fingerprint) : nil
        let why = protection(of: key, fingerprint) ?? required.map { .required($0) }
        judge(why, key, accepted: "the request without this key", &recorder)
      }
    }
  }

  private func protection(of key: Span<UInt8>, _ fingerprint: UInt64) -> Protection? {
    if let assigned = tags?.assignedKey(inAnyCase: key, fingerprint) { return .assigned(assigned) }
    for asked in questioned where asked.fingerprint == fingerprint {
      if key.holds(asked.text) || asked.differsOnlyInCase(from: key) { return .questioned(asked) }
    }
    return nil
  }

  private func judge(
    _ why: Protection?, _ key: Span<UInt8>, accepted: String, _ recorder: inout some VerdictRecorder
  ) {
    var notes = tags?.notes ?? self.notes
    if case .required(let tag) = why { notes = tag.notes }
    recorder.judge(
      .tagsProtected, of: self, saying: notes, keeps: why == nil, field: PolicyField.tag(ofCaller: key),
      wrong: why.map { "\(Self.named(key, $0.key)) \($0.reason)" } ?? "", accepted: accepted)
  }

  /// The protected tag, by its key where the caller wrote that in another case.
  private static func named(_ key: Span<UInt8>, _ meant: FoldedKey) -> String {
    guard !key.holds(meant.text) else { return "the tag" }
    return "the tag `\(MessageText.shown(meant.text))`, which this key differs from only in case,"
  }
}
