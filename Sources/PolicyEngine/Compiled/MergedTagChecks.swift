internal import Patterns
internal import Primitives

/// The rules of several policies on tags.
struct MergedTagChecks: Sendable {
  /// What is asked of the values of one key.
  private struct Values: Sendable {
    var lists: [RequiredTag] = []
    let patterns: WholeMatches
    /// Values without wildcards that all lists have.
    var common: Set<Text> = []

    init(_ required: [RequiredTag], _ shelf: PatternShelf) {
      patterns = shelf.wholeMatches(of: required.compactMap(\.pattern).uniqueSources)
      var seen: Set<[Glob]> = []
      // Lists in which something hangs on the request are all kept.
      lists = required.filter { tag in
        tag.values != nil && (tag.knownValues.map { seen.insert($0.globs).inserted } ?? true)
      }
      let known = lists.compactMap(\.knownValues)
      if known.count == lists.count {
        common = known.wholeTexts.filter { text in known.allSatisfy { $0.matches(text) } }
      }
    }

    func keep(_ value: Text, _ request: GovernedRequest) -> Bool {
      guard common.contains(value) || lists.allSatisfy({ $0.lists(value, request) }) else { return false }
      return patterns.surelyMatch(value)
    }
  }

  /// The keys that policies require, and for each what its values are held to.
  private let required: [Text: Values]
  /// Whether two of the keys that policies require or set differ only in case, so that no request is surely right.
  private let isAmbiguous: Bool
  private let requiredPrints: Set<UInt64>
  /// The keys that policies set.
  private let assigned: Set<Text>
  private let assignedPrints: Set<UInt64>
  /// Values to be set that can be without a value.
  private let doubtful: [BoundTemplate]
  /// The policies that have allowedKeys.
  private let allowing: [TagChecks]
  /// Keys that all of these allow.
  private let commonKeys: Set<Text>
  private let forbiddenKeys: GlobList
  private let maxCount: Int
  /// Keys that a caller may not take away.
  private let irremovable: Set<UInt64>

  /// - Parameters:
  ///   - ruling: of the policies that match the operation.
  ///   - all: of these and those that only guard what they set and require.
  init(ruling: [TagChecks], all: [TagChecks], as governance: Governance, _ shelf: PatternShelf) {
    let tags = ruling.flatMap(\.required)
    required = Dictionary(grouping: tags, by: \.key.text).mapValues { Values($0, shelf) }
    requiredPrints = Set(tags.map(\.key.fingerprint))
    let assignments = (governance == .createUser ? ruling : all).flatMap(\.assigned)
    assigned = Set(assignments.map(\.key.text))
    assignedPrints = Set(assignments.map(\.key.fingerprint))
    let keys = Set(tags.map(\.key.text)).union(assigned)
    isAmbiguous = Set(keys.map(FoldedKey.fingerprint)).count < keys.count
    doubtful = Array(Set(assignments.map(\.value))).filter { !$0.isConstantTagValue }
    var seen: Set<AllowedKeys> = []
    allowing = ruling.filter { checks in
      checks.allowedKeys.map {
        seen.insert(AllowedKeys(globs: $0.globs, assigned: checks.assigned.map(\.key.text))).inserted
      } ?? false
    }
    let allowing = allowing
    commonKeys = allowing.compactMap(\.allowedKeys).wholeTexts.union(assigned).filter { key in
      allowing.allSatisfy { $0.allows(key) }
    }
    forbiddenKeys = GlobList(Array(Set(ruling.flatMap(\.forbiddenKeys.globs))))
    maxCount =
      ruling.map { min($0.maxCount ?? .max, $0.addsTags ? BoundPolicy.mostTags : .max) }.min() ?? .max
    irremovable = Set(all.flatMap { $0.required.map(\.key.fingerprint) + $0.assigned.map(\.key.fingerprint) })
  }

  func keeps(_ request: GovernedRequest, as governance: Governance) -> Bool {
    guard !isAmbiguous else { return false }
    return switch governance {
    case .createUser:
      request.tags.count <= maxCount && hasAll(request) && keepsEach(request, as: governance)
        && doubtful.allSatisfy { (try? $0.tagValue(for: request)) != nil }
    case .tagUser: keepsEach(request, as: governance)
    case .untagUser:
      irremovable.isEmpty
        || request.tagKeys.allSatisfy { !irremovable.contains(FoldedKey.fingerprint(of: $0)) }
    case .updateUser, .putExpiration: true
    }
  }

  private func hasAll(_ request: GovernedRequest) -> Bool {
    for key in required.keys where request.place(ofTag: key) == nil { return false }
    return true
  }

  private func keepsEach(_ request: GovernedRequest, as governance: Governance) -> Bool {
    for tag in request.tags {
      if !requiredPrints.isEmpty || !assignedPrints.isEmpty {
        let fingerprint = FoldedKey.fingerprint(of: tag.key)
        // The same in another case for one of them is left to the policies.
        if requiredPrints.contains(fingerprint) {
          guard let values = required[tag.key], values.keep(tag.value, request) else { return false }
        }
        if assignedPrints.contains(fingerprint) {
          guard governance == .createUser, assigned.contains(tag.key) else { return false }
        }
      }
      guard commonKeys.contains(tag.key) || allowing.allSatisfy({ $0.allows(tag.key) }) else { return false }
      guard !forbiddenKeys.matches(tag.key) else { return false }
    }
    return true
  }
}

private struct AllowedKeys: Hashable {
  let globs: [Glob]
  let assigned: [Text]
}

extension TagChecks {
  fileprivate func allows(_ key: Text) -> Bool { allowedKeys?.matches(key) ?? true || assigns(key) }
}

extension RequiredTag {
  /// Whether one of its values, all of which must be known, matches.
  fileprivate func lists(_ value: Text, _ request: GovernedRequest) -> Bool {
    if let knownValues { return knownValues.matches(value) }
    guard let globs = try? (values ?? []).map({ glob throws(Unresolved) in try glob.resolve(for: request) })
    else { return false }
    return globs.anyMatches(value)
  }
}

extension BoundTemplate {
  fileprivate var isConstantTagValue: Bool {
    constant.map { Unresolved.tagValueLength.contains($0.scalarCount) } ?? false
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
