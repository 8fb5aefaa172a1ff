internal import Patterns
internal import Primitives

/// The rules of several policies on tags.
final class MergedTagChecks: Sendable {
  /// A key that policies require or set.
  private final class KnownKey: Sendable {
    let text: Text
    /// What the values of a required one are held to.
    let values: ValueChecks?
    /// A bit of its own among the required ones, while there are bits.
    let bit: UInt64
    let isAssigned: Bool

    init(_ text: Text, values: ValueChecks?, bit: UInt64, isAssigned: Bool) {
      self.text = text
      self.values = values
      self.bit = bit
      self.isAssigned = isAssigned
    }
  }

  private let keys: [KnownKey]
  private let keyTable: KeyTable
  /// The bits of all required keys, and those that have no bit.
  private let requiredBits: UInt64
  private let furtherRequired: [FoldedKey]
  /// Whether two of the keys that policies require or set differ only in case, so that no request is surely right.
  private let isAmbiguous: Bool
  /// Values to be set that can be without a value.
  private let doubtful: [BoundTemplate]
  /// The policies that have allowedKeys.
  private let allowing: [TagChecks]
  /// Keys that all of these allow.
  private let commonKeys: KeyTable
  private let forbiddenKeys: GlobList
  private let maxCount: Int
  /// Keys that a caller may not take away.
  private let irremovable: KeyTable

  /// - Parameters:
  ///   - ruling: of the policies that match the operation.
  ///   - all: of these and those that only guard what they set and require.
  init(ruling: [TagChecks], all: [TagChecks], as governance: Governance, _ cache: PatternCache) {
    let tags = ruling.flatMap(\.required)
    let required = Dictionary(grouping: tags, by: \.key.text)
    let assignments = (governance == .createUser ? ruling : all).flatMap(\.assigned)
    let assigned = Set(assignments.map(\.key.text))
    let texts = Array(assigned.union(required.keys)).sorted()
    isAmbiguous = Set(texts.map { FoldedKey.fingerprint(of: $0) }).count < texts.count

    var bits: UInt64 = 0
    var further: [FoldedKey] = []
    keys = texts.map { text in
      let rules = required[text]
      let bit: UInt64 = rules == nil ? 0 : ~bits & (bits &+ 1)
      bits |= bit
      if rules != nil, bit == 0 { further.append(FoldedKey(text)) }
      return KnownKey(
        text, values: rules.map { ValueChecks($0, cache) }, bit: bit, isAssigned: assigned.contains(text))
    }
    keyTable = KeyTable(texts)
    requiredBits = bits
    furtherRequired = further

    doubtful = Array(Set(assignments.map(\.value))).filter { !$0.isConstantTagValue }
    var seen: Set<AllowedKeys> = []
    let allowing = ruling.filter { checks in
      checks.allowedKeys.map {
        seen.insert(AllowedKeys(globs: $0.globs, assigned: checks.assigned.map(\.key.text))).inserted
      } ?? false
    }
    self.allowing = allowing
    commonKeys = KeyTable(
      allowing.compactMap(\.allowedKeys).wholeTexts.union(assigned).filter { key in
        allowing.allSatisfy { $0.allows(key.utf8.span, FoldedKey.fingerprint(of: key)) }
      }.sorted())
    forbiddenKeys = GlobList(Array(Set(ruling.flatMap(\.forbiddenKeys.globs))))
    maxCount =
      ruling.map { min($0.maxCount ?? .max, $0.addsTags ? BoundPolicy.mostTags : .max) }.min() ?? .max
    irremovable = KeyTable(
      Array(Set(all.flatMap { $0.required.map(\.key.text) + $0.assigned.map(\.key.text) })))
  }

  func keeps(_ request: borrowing GovernedRequest, as governance: Governance) -> Bool {
    guard !isAmbiguous else { return false }
    switch governance {
    case .createUser:
      guard request.tagCount <= maxCount, let found = requiredIfKept(by: request, isCreation: true),
        found == requiredBits
      else { return false }
      for index in furtherRequired.indices where request.place(ofTag: furtherRequired[index]) == nil {
        return false
      }
      for index in doubtful.indices where doubtful[index].tagFailure(for: request) != nil { return false }
      return true
    case .tagUser: return requiredIfKept(by: request, isCreation: false) != nil
    case .untagUser:
      guard !irremovable.isEmpty else { return true }
      for index in 0..<request.tagKeyCount {
        let fingerprint = FoldedKey.fingerprint(of: request.tagKeyToRemove(index))
        if irremovable.place(of: fingerprint) != nil { return false }
      }
      return true
    case .updateUser, .putExpiration: return true
    }
  }

  /// The bits of the required keys that are there; `nil` when some tag may break a rule.
  private func requiredIfKept(by request: borrowing GovernedRequest, isCreation: Bool) -> UInt64? {
    var found: UInt64 = 0
    for index in request.tags.indices {
      let tag = request.tags[index]
      let key = request[tag.key]
      if let place = keyTable.place(of: tag.fingerprint) {
        // The same in another case is left to the policies.
        let known = keys[place]
        guard key.holds(known.text), isCreation || !known.isAssigned else { return nil }
        if let values = known.values {
          guard values.keep(request[tag.value], request) else { return nil }
          found |= known.bit
        }
      }
      if !allowing.isEmpty, !commonKeys.holds(key, tag.fingerprint) {
        for index in allowing.indices where !allowing[index].allows(key, tag.fingerprint) { return nil }
      }
      guard !forbiddenKeys.matches(key) else { return nil }
    }
    return found
  }
}

/// What several policies ask of the values of one key.
private final class ValueChecks: Sendable {
  private let lists: [RequiredTag]
  private let patterns: WholeMatches
  /// Values without wildcards that all lists have.
  private let common: KeyTable

  init(_ required: [RequiredTag], _ cache: PatternCache) {
    patterns = cache.wholeMatches(of: required.compactMap(\.pattern).uniqueSources)
    var seen: Set<[Glob]> = []
    // Lists in which something hangs on the request are all kept.
    lists = required.filter { tag in
      tag.values != nil && (tag.knownValues.map { seen.insert($0.globs).inserted } ?? true)
    }
    let known = lists.compactMap(\.knownValues)
    let isKnown = known.count == lists.count
    common = KeyTable(
      isKnown ? known.wholeTexts.filter { text in known.allSatisfy { $0.matches(text) } }.sorted() : [])
  }

  func keep(_ value: Span<UInt8>, _ request: borrowing GovernedRequest) -> Bool {
    if !lists.isEmpty, common.isEmpty || !common.holds(value, FoldedKey.fingerprint(of: value)) {
      for index in lists.indices where !lists[index].lists(value, request) { return false }
    }
    return patterns.surelyMatch(value)
  }
}

private struct AllowedKeys: Hashable {
  let globs: [Glob]
  let assigned: [Text]
}

extension TagChecks {
  fileprivate func allows(_ key: Span<UInt8>, _ fingerprint: UInt64) -> Bool {
    allowedKeys?.matches(key) ?? true || assigns(key, fingerprint)
  }
}

extension RequiredTag {
  /// Whether one of its values, all of which must be known, matches.
  fileprivate func lists(_ value: Span<UInt8>, _ request: borrowing GovernedRequest) -> Bool {
    if let knownValues { return knownValues.matches(value) }
    var isListed = false
    for listed in values ?? [] {
      guard let matches = try? listed.matches(value, in: request) else { return false }
      if matches { isListed = true }
    }
    return isListed
  }
}

extension [GlobList] {
  /// The globs among them that stand for one text only.
  fileprivate var wholeTexts: Set<Text> {
    Set(
      flatMap(\.globs).map(\.source).filter { source in
        source.utf8.allSatisfy { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") }
      })
  }
}
