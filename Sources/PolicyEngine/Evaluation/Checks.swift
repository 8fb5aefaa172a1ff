internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

extension BoundPolicy {
  /// Holds every rule on these parts that applies to the operation against the request, all of them.
  func check(
    _ request: borrowing GovernedRequest, _ parts: CheckedParts, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    if parts.contains(.userID), governance.checksUserID, let userID, let value = request.appInstanceUserId {
      check(value, userID, .userID, request, &recorder)
    }
    if parts.contains(.name), governance.checksName, let userName, let value = request.name {
      check(value, userName, .name, request, &recorder)
    }
    if parts.contains(.tags) {
      if let tags { checkTags(tags, of: request, as: governance, &recorder) }
      if tags != nil || !questioned.isEmpty {
        protect(request, as: governance, requiring: true, &recorder)
      }
    }
    if parts.contains(.expiration), governance.checksExpiration, let expiration {
      checkExpiration(expiration, days: request.expirationDays, &recorder)
    }
    if parts.contains(.metadata), governance.checksMetadata, let metadata, let value = request.metadata {
      checkMetadata(metadata, value, &recorder)
    }
  }

  /// Holds a value against a regular expression that must match the whole of it.
  func checkPattern(
    _ pattern: Pattern, _ value: Span<UInt8>, _ rule: Rule, _ field: @autoclosure () -> String,
    _ notes: RuleNotes?, _ recorder: inout some VerdictRecorder
  ) {
    let result = pattern.matchesWhole(value)
    recorder.judge(
      rule, of: self, saying: notes, keeps: result == .matched, field: field(),
      wrong: result == .exceededBound ? MessageText.exceededBound : "the value does not match",
      accepted: "a value that as a whole matches `\(MessageText.shown(pattern: pattern.source))`")
  }

  /// A pattern in which a template has no value matches nothing, and is found everywhere.
  func refuseForUnknownPattern(
    _ rule: Rule, _ field: String, _ reason: String, _ notes: RuleNotes?,
    _ recorder: inout some VerdictRecorder
  ) {
    recorder.judge(
      rule, of: self, saying: notes, keeps: false, field: field,
      wrong: "the pattern is not known, because \(reason)", accepted: MessageText.nothing)
  }

  /// Holds a value against what may stand nowhere in it.
  private func checkForbidden(
    _ forbidden: ForbiddenChecks, _ value: Span<UInt8>, _ rule: Rule, _ field: String, _ notes: RuleNotes?,
    _ recorder: inout some VerdictRecorder
  ) {
    if !forbidden.patterns.isEmpty {
      let bytes = TextBytes(value)
      for pattern in forbidden.patterns {
        let result = pattern.occurs(in: value, holding: bytes)
        recorder.judge(
          rule, of: self, saying: notes, keeps: result == .unmatched, field: field,
          wrong: result == .exceededBound
            ? MessageText.exceededBound : "the value contains what is forbidden",
          accepted: "a value in which `\(MessageText.shown(pattern: pattern.source))` matches nowhere")
      }
    }
    for reason in forbidden.failures {
      refuseForUnknownPattern(rule, field, reason, notes, &recorder)
    }
    guard let lines = forbidden.lines else { return }
    let found = lines.texts.first(in: value)
    // Messages never repeat metadata.
    let shown = rule == .metadataForbidden ? "what is forbidden" : "`\(MessageText.shown(found ?? ""))`"
    recorder.judge(
      rule, of: self, saying: notes, keeps: found == nil, field: field, wrong: "the value contains \(shown)",
      accepted: "a value without any line of `\(MessageText.shown(Text(lines.name)))`")
  }

  private func check(
    _ value: Span<UInt8>, _ checks: StringChecks, _ rules: StringRules, _ request: borrowing GovernedRequest,
    _ recorder: inout some VerdictRecorder
  ) {
    if let rule = rules.prefix, let prefix = checks.prefix {
      checkPrefix(prefix, checks, value, rule, rules.field, request, &recorder)
    }
    if let pattern = checks.pattern {
      checkPattern(pattern, value, rules.pattern, rules.field, checks.notes, &recorder)
    } else if let reason = checks.patternFailure {
      refuseForUnknownPattern(rules.pattern, rules.field, reason, checks.notes, &recorder)
    }
    checkForbidden(checks.forbidden, value, rules.forbidden, rules.field, checks.notes, &recorder)
    if checks.minLength != nil || checks.maxLength != nil {
      let count = value.scalarCount
      recorder.judge(
        rules.length, of: self, saying: checks.notes,
        keeps: count >= checks.minLength ?? 0 && count <= checks.maxLength ?? .max,
        field: rules.field, wrong: "the value has \(MessageText.count(count, "character"))",
        accepted: MessageText.range(checks.minLength, checks.maxLength, "character"))
    }
    if let rule = rules.trimmed, checks.isTrimmed {
      recorder.judge(
        rule, of: self, saying: checks.notes, keeps: value.isTrimmed, field: rules.field,
        wrong: "the value begins or ends with white space",
        accepted: "a value without white space at either end")
    }
    if let rule = rules.singleScript, checks.isSingleScript {
      recorder.judge(
        rule, of: self, saying: checks.notes, keeps: value.isSingleScript, field: rules.field,
        wrong: "the value mixes letters of different scripts", accepted: "letters of one script")
    }
  }

  private func checkPrefix(
    _ prefix: BoundTemplate, _ checks: StringChecks, _ value: Span<UInt8>, _ rule: Rule, _ field: String,
    _ request: borrowing GovernedRequest, _ recorder: inout some VerdictRecorder
  ) {
    if let failure = prefix.failure(for: request) {
      recorder.judge(
        rule, of: self, saying: checks.notes, keeps: false, field: field,
        wrong: "the prefix it must start with is not known, because \(failure.reason)",
        accepted: MessageText.nothing)
    } else if let rival = Self.rival(of: value, checks.rivals, request) {
      let taken = MessageText.shown(rival.template.value(for: request))
      recorder.judge(
        rule, of: self, saying: checks.notes, keeps: false, field: field,
        wrong: "the value starts with `\(taken)`, which is the prefix of another tenant",
        accepted:
          "a value that starts with `\(MessageText.shown(prefix.value(for: request)))` and not with `\(taken)`"
      )
    } else {
      recorder.judge(
        rule, of: self, saying: checks.notes, keeps: prefix.isPrefix(of: value, for: request), field: field,
        wrong: "the value does not start as it must",
        accepted: "a value that starts with `\(MessageText.shown(prefix.value(for: request)))`")
    }
  }

  private static func rival(
    of value: Span<UInt8>, _ rivals: [OwnedPrefixes.Owned], _ request: borrowing GovernedRequest
  ) -> OwnedPrefixes.Owned? {
    for rival in rivals where rival.takes(value, of: request) { return rival }
    return nil
  }

  private func checkExpiration(
    _ checks: ExpirationChecks, days: Int?, _ recorder: inout some VerdictRecorder
  ) {
    let least = checks.minDays
    let most = checks.maxDays
    if checks.isRequired {
      recorder.judge(
        .expirationRequired, of: self, saying: checks.notes, keeps: days != nil,
        field: PolicyField.expiration,
        wrong: "the settings are missing",
        accepted: "ExpirationSettings with an ExpirationDays\(MessageText.of(least, most, "day"))"
          + " and the ExpirationCriterion `\(GovernedRequest.createdTimestamp)`")
    }
    guard let days else { return }
    if let least {
      recorder.judge(
        .expirationMinDays, of: self, saying: checks.notes, keeps: days >= least,
        field: PolicyField.expirationDays,
        wrong: "\(MessageText.count(days, "day")) is too short",
        accepted: MessageText.range(least, most, "day"))
    }
    if let most {
      recorder.judge(
        .expirationMaxDays, of: self, saying: checks.notes, keeps: days <= most,
        field: PolicyField.expirationDays,
        wrong: "\(MessageText.count(days, "day")) is too long",
        accepted: MessageText.range(least, most, "day"))
    }
  }

  private func checkMetadata(
    _ checks: MetadataChecks, _ value: Span<UInt8>, _ recorder: inout some VerdictRecorder
  ) {
    if let most = checks.maxBytes {
      recorder.judge(
        .metadataMaxBytes, of: self, saying: checks.notes, keeps: value.count <= most,
        field: PolicyField.metadata,
        wrong: "the value has \(MessageText.count(value.count, "byte")) in UTF-8",
        accepted: MessageText.range(nil, most, "byte"))
    }
    if checks.isJSON {
      // Where it fails is said, not what stands there: metadata may be nothing for logs.
      let fault = Self.jsonFault(in: value)
      recorder.judge(
        .metadataFormat, of: self, saying: checks.notes, keeps: fault == nil, field: PolicyField.metadata,
        wrong:
          "the value cannot be read as JSON: \(fault.map { "\($0.reason), at byte \($0.offset)" } ?? "")",
        accepted:
          "one JSON text (RFC 8259) without duplicate keys and NUL, with numbers within 64-bit integers and doubles,"
          + " nested at most \(JSONDocument.maximumDepth) levels deep")
    }
    checkForbidden(checks.forbidden, value, .metadataForbidden, PolicyField.metadata, checks.notes, &recorder)
  }

  /// Why the value is no JSON, or `nil`.
  private static func jsonFault(in value: Span<UInt8>) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
      _ = try JSONDocument(parsing: value.array)
      return nil
    } catch {
      return error
    }
  }
}

/// The rules on AppInstanceUserId or Name, by their ids; `nil` for those that only the other has.
private enum StringRules {
  case userID, name

  var field: String { self == .userID ? PolicyField.userID : PolicyField.name }
  var prefix: Rule? { self == .userID ? .userIDPrefix : nil }
  var pattern: Rule { self == .userID ? .userIDPattern : .namePattern }
  var forbidden: Rule { self == .userID ? .userIDForbidden : .nameForbidden }
  var length: Rule { self == .userID ? .userIDLength : .nameLength }
  var trimmed: Rule? { self == .userID ? nil : .nameTrimmed }
  var singleScript: Rule? { self == .userID ? nil : .nameSingleScript }
}
