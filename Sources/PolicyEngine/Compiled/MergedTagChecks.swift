internal import Patterns
internal import Primitives

/// The rules of several policies on tags.
final class MergedTagChecks: Sendable {
  /// A key that policies require or set.
  private struct KnownKey: BitwiseCopyable {
    /// The place of what the values of a required one are held to; -1 of one that is set only.
    let values: Int
    /// A bit of its own among the required ones, while there are bits.
    let bit: UInt64
    let isAssigned: Bool
  }

  /// One for each in `keyTable`.
  private let keys: [KnownKey]
  private let keyTable: KeyTable
  private let values: LentObjects<ValueChecks>
  /// The bits of all required keys, and those that have no bit.
  private let requiredBits: UInt64
  private let furtherRequired: LentObjects<FoldedKey>
  /// Whether two of the keys that policies require or set differ only in case, so that no request is surely right.
  private let isAmbiguous: Bool
  /// Values to be set that can be without a value.
  private let doubtful: LentObjects<BoundTemplate>
  /// The policies that have allowedKeys.
  private let allowing: LentObjects<TagChecks>
  /// Keys that all of these allow.
  private let commonKeys: KeyTable
  private let forbiddenKeys: FoldedGlobList
  private let maxCount: Int
  /// The key of a tag that must be there or is set is not known.
  private let lacksKey: Bool
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
    var values: [ValueChecks] = []
    keys = texts.map { text in
      let rules = required[text]
      let bit: UInt64 = rules == nil ? 0 : ~bits & (bits &+ 1)
      bits |= bit
      if rules != nil, bit == 0 { further.append(FoldedKey(text)) }
      if let rules { values.append(ValueChecks(rules, cache)) }
      return KnownKey(
        values: rules == nil ? -1 : values.count - 1, bit: bit, isAssigned: assigned.contains(text))
    }
    keyTable = KeyTable(texts)
    self.values = LentObjects(values)
    requiredBits = bits
    furtherRequired = LentObjects(further)

    doubtful = LentObjects(Array(Set(assignments.map(\.value))).filter { !$0.isConstantTagValue })
    var seen: Set<AllowedKeys> = []
    let allowing = ruling.filter { checks in
      checks.allowedKeys.map {
        seen.insert(AllowedKeys(globs: $0.globs, assigned: checks.assigned.map(\.key.text))).inserted
      } ?? false
    }
    self.allowing = LentObjects(allowing)
    commonKeys = KeyTable(
      allowing.compactMap(\.allowedKeys).wholeTexts.union(assigned).filter { key in
        allowing.allSatisfy { $0.allows(key.utf8.span, FoldedKey.fingerprint(of: key)) }
      }.sorted())
    forbiddenKeys = FoldedGlobList(Array(Set(ruling.flatMap(\.forbiddenKeys.globs))))
    maxCount =
      ruling.map { min($0.maxCount ?? .max, $0.addsTags ? BoundPolicy.mostTags : .max) }.min() ?? .max
    lacksKey = ruling.contains { !$0.unknown.isEmpty }
    irremovable = KeyTable(
      Array(Set(all.flatMap { $0.required.map(\.key.text) + $0.assigned.map(\.key.text) })))
  }

  func keeps(_ request: borrowing GovernedRequest, as governance: Governance) -> Bool {
    guard !isAmbiguous else { return false }
    switch governance {
    case .createUser:
      guard !lacksKey, request.tagCount <= maxCount,
        let found = requiredIfKept(by: request, isCreation: true),
        found == requiredBits
      else { return false }
      for index in furtherRequired.indices {
        guard furtherRequired.with(index, { request.place(ofTag: $0) }) != nil else { return false }
      }
      for index in doubtful.indices {
        guard doubtful.with(index, { $0.tagFailure(for: request) }) == nil else { return false }
      }
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
        guard keyTable.holds(key, at: place), isCreation || !known.isAssigned else { return nil }
        if known.values >= 0 {
          guard values.with(known.values, { $0.keep(request[tag.value], request) }) else { return nil }
          found |= known.bit
        }
      }
      if !allowing.isEmpty, !commonKeys.holds(key, tag.fingerprint) {
        for index in allowing.indices {
          guard allowing.with(index, { $0.allows(key, tag.fingerprint) }) else { return nil }
        }
      }
      guard !forbiddenKeys.matches(key) else { return nil }
    }
    return found
  }
}

/// What several policies ask of the values of one key.
private final class ValueChecks: Sendable {
  private let lists: LentObjects<RequiredTag>
  private let patterns: WholeMatches
  /// Values without wildcards that all lists have.
  private let common: KeyTable
  /// A pattern is not known.
  private let lacksPattern: Bool

  init(_ required: [RequiredTag], _ cache: PatternCache) {
    patterns = cache.wholeMatches(of: required.compactMap(\.pattern).uniqueSources)
    lacksPattern = required.contains { $0.patternFailure != nil }
    var seen: Set<[Glob]> = []
    // Lists in which something hangs on the request, and those with a file, are all kept.
    let lists = required.filter { tag in
      guard tag.limitsValues else { return false }
      return tag.listed != nil || (tag.knownValues.map { seen.insert($0.globs).inserted } ?? true)
    }
    self.lists = LentObjects(lists)
    let known = lists.filter { $0.listed == nil }.compactMap(\.knownValues)
    let isKnown = known.count == lists.count
    common = KeyTable(
      isKnown ? known.wholeTexts.filter { text in known.allSatisfy { $0.matches(text) } }.sorted() : [])
  }

  func keep(_ value: Span<UInt8>, _ request: borrowing GovernedRequest) -> Bool {
    if !lists.isEmpty, common.isEmpty || !common.holds(value) {
      for index in lists.indices {
        guard lists.with(index, { (try? $0.lists(value, in: request)) ?? false }) else { return false }
      }
    }
    return !lacksPattern && patterns.surelyMatch(value)
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

extension [GlobList] {
  /// The globs among them that stand for one text only.
  fileprivate var wholeTexts: Set<Text> {
    Set(
      flatMap(\.globs).map(\.source).filter { source in
        source.utf8.allSatisfy { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") }
      })
  }
}
