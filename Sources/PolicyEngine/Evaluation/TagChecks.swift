internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives

extension BoundPolicy {
  /// The most tags that the service model lets a request carry.
  static let mostTags = ModelLimits.tagCount.upperBound

  func checkTags(
    _ tags: TagChecks, of request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    switch governance {
    case .createUser:
      checkPresence(tags, in: request, &recorder)
      checkGiven(tags, in: request, as: governance, &recorder)
      checkCount(tags, of: request, &recorder)
    case .tagUser:
      checkGiven(tags, in: request, as: governance, &recorder)
    case .untagUser, .updateUser, .putExpiration:
      break
    }
  }

  private func checkPresence(
    _ tags: TagChecks, in request: borrowing GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    for required in tags.required { checkPresence(of: required, in: request, &recorder) }
    for tag in tags.unknown {
      recorder.judge(
        .tagsRequired, of: self, saying: tag.notes, keeps: false, field: tag.field,
        wrong: "the key of the tag is not known, because \(tag.reason)", accepted: MessageText.nothing)
    }
    for assigned in tags.assigned { checkAssigned(assigned, tags.notes, in: request, &recorder) }
  }

  private func checkPresence(
    of required: RequiredTag, in request: borrowing GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    let isPresent = request.place(ofTag: required.key) != nil
    // In another case it is there, and said to be wrong below.
    guard isPresent || !request.hasTag(inOtherCase: required.key) else { return }
    recorder.judge(
      .tagsRequired, of: self, saying: required.notes, keeps: isPresent, field: required.field,
      wrong: missing(required, in: request), accepted: accepted(required, in: request))
  }

  private func missing(_ required: RequiredTag, in request: borrowing GovernedRequest) -> String {
    guard let failure = required.defaultValue?.tagFailure(for: request) else { return "the tag is missing" }
    return "the tag is missing and has no default, because \(failure.reason)"
  }

  private func accepted(_ required: RequiredTag, in request: borrowing GovernedRequest) -> String {
    let tag = "a tag `\(MessageText.shown(required.key.text))`"
    if required.limitsValues { return "\(tag) with a value of \(shownValues(of: required, in: request))" }
    guard let pattern = required.pattern else { return tag }
    return "\(tag) with a value that as a whole matches `\(MessageText.shown(pattern: pattern.source))`"
  }

  private func checkAssigned(
    _ assigned: AssignedTag, _ notes: RuleNotes?, in request: borrowing GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    guard let failure = assigned.value.tagFailure(for: request) else { return }
    recorder.judge(
      .tagsRequired, of: self, saying: notes, keeps: false, field: assigned.field,
      wrong: "policy cannot set the tag, because \(failure.reason)", accepted: MessageText.nothing)
  }

  /// What is held against each tag of the request by itself.
  private func checkGiven(
    _ tags: TagChecks, in request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    for index in 0..<request.tagCount {
      let key = request.tagKey(index)
      let fingerprint = request.tags[index].fingerprint
      let (same, nearest) = tags.lookUp(key, fingerprint)
      let isOwn = same != nil || tags.requiresElsewhere(key, fingerprint)
      let alike = isOwn ? nil : nearest
      if let alike {
        refuseCase(of: key, alike.key.text, alike.notes, &recorder)
      } else if !isOwn, governance.checksAllTags,
        let meant = tags.assignedKey(inAnyCase: key, fingerprint), !key.holds(meant.text)
      {
        // Beside a tag that policy sets, one that reads like it is as good as forged.
        refuseCase(of: key, meant.text, tags.notes, &recorder)
      }
      checkKey(key, fingerprint, tags, &recorder)
      if let same {
        checkValue(request.tagValue(index), same, same.field, in: request, &recorder)
        for other in tags.required(besides: same, key) {
          checkValue(request.tagValue(index), other, other.field, in: request, &recorder)
        }
      } else if let alike {
        // What is wrong with the value is said at once, too.
        checkValue(
          request.tagValue(index), alike, PolicyField.tag(ofCaller: key), in: request, &recorder)
      }
    }
  }

  private func refuseCase(
    of key: Span<UInt8>, _ meant: Text, _ notes: RuleNotes?, _ recorder: inout some VerdictRecorder
  ) {
    recorder.judge(
      .tagsKeyCase, of: self, saying: notes, keeps: false, field: PolicyField.tag(ofCaller: key),
      wrong: "the key differs from `\(MessageText.shown(meant))` only in case",
      accepted: "the key `\(MessageText.shown(meant))`")
  }

  private func checkKey(
    _ key: Span<UInt8>, _ fingerprint: UInt64, _ tags: TagChecks, _ recorder: inout some VerdictRecorder
  ) {
    if let allowed = tags.allowedKeys, !tags.assigns(key, fingerprint) {
      let reason = tags.allowedKeysFailure
      recorder.judge(
        .tagsAllowedKeys, of: self, saying: tags.notes, keeps: allowed.matches(key),
        field: PolicyField.tag(ofCaller: key),
        wrong: reason.map { "one of the keys allowed is not known, because \($0)" }
          ?? "the key is not allowed",
        accepted: reason != nil
          ? MessageText.nothing
          : allowed.isEmpty ? "no tags" : "keys that match one of \(MessageText.list(allowed.globs))")
    }
    if !tags.forbiddenKeys.isEmpty {
      recorder.judge(
        .tagsForbiddenKeys, of: self, saying: tags.notes, keeps: !tags.forbiddenKeys.matches(key),
        field: PolicyField.tag(ofCaller: key), wrong: "the key is forbidden",
        accepted: "keys that match none of \(MessageText.list(tags.forbiddenKeys.globs))")
    }
  }

  private func checkValue(
    _ value: Span<UInt8>, _ required: RequiredTag, _ field: String, in request: borrowing GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    if required.limitsValues {
      do throws(Unresolved) {
        let isListed = try required.lists(value, in: request)
        judgeValue(keeps: isListed, required, field, in: request, &recorder)
      } catch {
        recorder.judge(
          .tagsValue, of: self, saying: required.notes, keeps: false, field: field,
          wrong: "one of the values listed is not known, because \(error.reason)",
          accepted: MessageText.nothing)
      }
    }
    if let pattern = required.pattern {
      checkPattern(pattern, value, .tagsPattern, field, required.notes, &recorder)
    } else if let reason = required.patternFailure {
      refuseForUnknownPattern(.tagsPattern, field, reason, required.notes, &recorder)
    }
  }

  private func judgeValue(
    keeps: Bool, _ required: RequiredTag, _ field: String, in request: borrowing GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    recorder.judge(
      .tagsValue, of: self, saying: required.notes, keeps: keeps, field: field,
      wrong: "the value is not one of those listed",
      accepted:
        "a value that \(required.values == nil ? "is" : "matches") one of \(shownValues(of: required, in: request))"
    )
  }

  /// The values listed, and the file that lists more.
  private func shownValues(of required: RequiredTag, in request: borrowing GovernedRequest) -> String {
    let file = required.listed.map(\.outline)
    let values = required.values.map { MessageText.list(shownValues($0, in: request)) }
    return [values, file].compactMap { $0 }.joined(separator: " or ")
  }

  private func shownValues(_ values: [ValueGlob], in request: borrowing GovernedRequest) -> [String] {
    values.compactMap { value in (try? value.resolve(for: request)).map { MessageText.shown($0.source) } }
  }

  private func checkCount(
    _ tags: TagChecks, of request: borrowing GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    let count = request.tagCount
    // Only policies that add tags can lead beyond what the service accepts.
    let most = min(tags.maxCount ?? .max, tags.addsTags ? Self.mostTags : .max)
    guard tags.maxCount != nil || count > most else { return }
    recorder.judge(
      .tagsMaxCount, of: self, saying: tags.notes, keeps: count <= most, field: PolicyField.tags,
      wrong: "the request has \(MessageText.count(count, "tag")), with those that policy sets",
      accepted: MessageText.range(nil, most, "tag"))
  }
}
