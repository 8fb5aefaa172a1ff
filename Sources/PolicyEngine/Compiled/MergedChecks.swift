internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// The parts of a request that policies hold rules against.
struct CheckedParts: OptionSet, Sendable {
  let rawValue: UInt8
  static let userID = CheckedParts(rawValue: 1)
  static let name = CheckedParts(rawValue: 2)
  static let tags = CheckedParts(rawValue: 4)
  static let expiration = CheckedParts(rawValue: 8)
  static let metadata = CheckedParts(rawValue: 16)
  static let all: CheckedParts = [.userID, .name, .tags, .expiration, .metadata]
}

/// What all policies of one step ask of an operation, as one: the narrowest limits, and each pattern, prefix and list
/// once. Most requests keep everything, and are done with after this; of a part in which something is broken, each
/// policy says for itself what.
///
/// It may find a part broken that is not, and never the other way round.
final class MergedChecks: Sendable {
  private let governance: Governance
  private let userID: MergedStringChecks
  private let name: MergedStringChecks
  private let tags: MergedTagChecks
  private let needsDays: Bool
  /// No days at all when `leastDays` is above `mostDays`.
  private let leastDays: Int
  private let mostDays: Int
  /// Of the metadata.
  private let maxBytes: Int
  private let isJSON: Bool
  private let metadataForbidden: MergedForbidden

  init(_ entries: [TenantPlan.Entry], as governance: Governance, _ cache: PatternCache) {
    self.governance = governance
    let ruling = entries.filter { !$0.isGuardOnly }.map(\.policy)
    userID = MergedStringChecks(governance.checksUserID ? ruling.compactMap(\.userID) : [], cache)
    name = MergedStringChecks(governance.checksName ? ruling.compactMap(\.userName) : [], cache)
    tags = MergedTagChecks(
      ruling: ruling.compactMap(\.tags), all: entries.compactMap(\.policy.tags), as: governance, cache)
    let expirations = governance.checksExpiration ? ruling.compactMap(\.expiration) : []
    leastDays = expirations.compactMap(\.minDays).max() ?? .min
    mostDays = expirations.compactMap(\.maxDays).min() ?? .max
    needsDays = expirations.contains(where: \.isRequired)
    let metadata = governance.checksMetadata ? ruling.compactMap(\.metadata) : []
    maxBytes = metadata.compactMap(\.maxBytes).min() ?? .max
    isJSON = metadata.contains(where: \.isJSON)
    metadataForbidden = MergedForbidden(metadata.map(\.forbidden))
  }

  /// The parts that surely keep every rule of every policy.
  func kept(by request: borrowing GovernedRequest) -> CheckedParts {
    var kept = CheckedParts.all
    if let value = request.appInstanceUserId, !userID.keeps(value, request) { kept.remove(.userID) }
    if let value = request.name, !name.keeps(value, request) { kept.remove(.name) }
    if !tags.keeps(request, as: governance) { kept.remove(.tags) }
    if let days = request.expirationDays {
      if days < leastDays || days > mostDays { kept.remove(.expiration) }
    } else if needsDays {
      kept.remove(.expiration)
    }
    if let value = request.metadata, !keepsMetadata(value) { kept.remove(.metadata) }
    return kept
  }

  private func keepsMetadata(_ value: Span<UInt8>) -> Bool {
    value.count <= maxBytes && (!isJSON || (try? JSONDocument(parsing: value.array)) != nil)
      && metadataForbidden.isAbsent(from: value)
  }
}

/// The rules of several policies on one text.
private final class MergedStringChecks: Sendable {
  private let isEmpty: Bool
  private let prefixes: LentObjects<BoundTemplate>
  private let rivals: [OwnedPrefixes.Owned]
  private let patterns: WholeMatches
  private let forbidden: MergedForbidden
  /// A pattern is not known.
  private let lacksPattern: Bool
  /// In Unicode scalars.
  private let minLength: Int
  private let maxLength: Int
  private let isTrimmed: Bool
  private let isSingleScript: Bool

  init(_ checks: [StringChecks], _ cache: PatternCache) {
    isEmpty = checks.isEmpty
    prefixes = LentObjects(Array(Set(checks.compactMap(\.prefix))))
    rivals = checks.first { !$0.rivals.isEmpty }?.rivals ?? []
    patterns = cache.wholeMatches(of: checks.compactMap(\.pattern).uniqueSources)
    forbidden = MergedForbidden(checks.map(\.forbidden))
    lacksPattern = checks.contains { $0.patternFailure != nil }
    minLength = checks.compactMap(\.minLength).max() ?? 0
    maxLength = checks.compactMap(\.maxLength).min() ?? .max
    isTrimmed = checks.contains(where: \.isTrimmed)
    isSingleScript = checks.contains(where: \.isSingleScript)
  }

  func keeps(_ value: Span<UInt8>, _ request: borrowing GovernedRequest) -> Bool {
    guard !isEmpty else { return true }
    guard !lacksPattern else { return false }
    // A scalar has one to four bytes, which mostly decides without counting.
    if value.count > maxLength || (value.count &+ 3) &>> 2 < minLength {
      let count = value.scalarCount
      guard count >= minLength, count <= maxLength else { return false }
    }
    for index in prefixes.indices {
      let begins = prefixes.with(index) {
        $0.failure(for: request) == nil && $0.isPrefix(of: value, for: request)
      }
      guard begins else { return false }
    }
    for rival in rivals where rival.takes(value, of: request) { return false }
    return (!isTrimmed || value.isTrimmed) && (!isSingleScript || value.isSingleScript)
      && patterns.surelyMatch(value) && forbidden.isAbsent(from: value)
  }
}

/// What several policies want to be nowhere in one text.
private final class MergedForbidden: Sendable {
  private let patterns: AbsentPatterns
  private let lines: LentObjects<ValueFile<LiteralOccurrences>>
  /// A pattern is not known.
  private let lacksPattern: Bool

  init(_ checks: [ForbiddenChecks]) {
    patterns = AbsentPatterns(checks.flatMap(\.patterns).uniqueSources)
    lines = LentObjects(checks.compactMap(\.lines))
    lacksPattern = checks.contains { !$0.failures.isEmpty }
  }

  func isAbsent(from value: Span<UInt8>) -> Bool {
    guard !lacksPattern, patterns.areAbsent(from: value) else { return false }
    for index in lines.indices {
      let isAbsent = lines.with(index) { $0.texts.first(in: value) == nil }
      guard isAbsent else { return false }
    }
    return true
  }
}
