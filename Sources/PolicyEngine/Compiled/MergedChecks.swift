internal import Patterns
internal import Primitives
internal import StrictJSON
internal import Synchronization

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
  private let days: (isRequired: Bool, range: ClosedRange<Int>?)
  private let maxBytes: Int
  private let isJSON: Bool
  private let metadataForbidden: AbsentPatterns

  init(_ entries: [TenantPlan.Entry], as governance: Governance, _ shelf: PatternShelf) {
    self.governance = governance
    let ruling = entries.filter { !$0.isGuardOnly }.map(\.policy)
    userID = MergedStringChecks(governance.checksUserID ? ruling.compactMap(\.userID) : [], shelf)
    name = MergedStringChecks(governance.checksName ? ruling.compactMap(\.userName) : [], shelf)
    tags = MergedTagChecks(
      ruling: ruling.compactMap(\.tags), all: entries.compactMap(\.policy.tags), as: governance, shelf)
    let expirations = governance.checksExpiration ? ruling.compactMap(\.expiration) : []
    let least = expirations.compactMap(\.minDays).max() ?? .min
    let most = expirations.compactMap(\.maxDays).min() ?? .max
    days = (expirations.contains(where: \.isRequired), least <= most ? least...most : nil)
    let metadata = governance.checksMetadata ? ruling.compactMap(\.metadata) : []
    maxBytes = metadata.compactMap(\.maxBytes).min() ?? .max
    isJSON = metadata.contains(where: \.isJSON)
    metadataForbidden = AbsentPatterns(metadata.flatMap(\.forbidden).uniqueSources)
  }

  /// The parts that surely keep every rule of every policy.
  func kept(by request: GovernedRequest) -> CheckedParts {
    var kept = CheckedParts()
    if request.appInstanceUserId.map({ userID.keeps($0, request) }) ?? true { kept.insert(.userID) }
    if request.name.map({ name.keeps($0, request) }) ?? true { kept.insert(.name) }
    if tags.keeps(request, as: governance) { kept.insert(.tags) }
    if request.expirationDays.map({ days.range?.contains($0) ?? false }) ?? !days.isRequired {
      kept.insert(.expiration)
    }
    if request.metadata.map(keepsMetadata) ?? true { kept.insert(.metadata) }
    return kept
  }

  private func keepsMetadata(_ value: Text) -> Bool {
    value.utf8.count <= maxBytes && (!isJSON || (try? JSONDocument(parsing: value.utf8)) != nil)
      && metadataForbidden.areAbsent(from: value)
  }
}

/// The rules of several policies on one text.
private struct MergedStringChecks: Sendable {
  private let prefixes: [BoundTemplate]
  private let patterns: WholeMatches
  private let forbidden: AbsentPatterns
  /// In Unicode scalars.
  private let minLength: Int
  private let maxLength: Int
  private let isTrimmed: Bool
  private let isSingleScript: Bool

  init(_ checks: [StringChecks], _ shelf: PatternShelf) {
    prefixes = Array(Set(checks.compactMap(\.prefix)))
    patterns = shelf.wholeMatches(of: checks.compactMap(\.pattern).uniqueSources)
    forbidden = AbsentPatterns(checks.flatMap(\.forbidden).uniqueSources)
    minLength = checks.compactMap(\.minLength).max() ?? 0
    maxLength = checks.compactMap(\.maxLength).min() ?? .max
    isTrimmed = checks.contains(where: \.isTrimmed)
    isSingleScript = checks.contains(where: \.isSingleScript)
  }

  func keeps(_ value: Text, _ request: GovernedRequest) -> Bool {
    if minLength > 0 || maxLength < .max {
      let count = value.scalarCount
      guard count >= minLength, count <= maxLength else { return false }
    }
    for prefix in prefixes {
      guard let start = try? prefix.resolve(for: request), value.hasPrefix(start) else { return false }
    }
    return (!isTrimmed || value.isTrimmed) && (!isSingleScript || value.isSingleScript)
      && patterns.surelyMatch(value) && forbidden.areAbsent(from: value)
  }
}

extension [Pattern] {
  /// One of each source; policies are compiled without options, so the source is all there is.
  var uniqueSources: [Pattern] {
    var seen: Set<Text> = []
    return filter { seen.insert(Text($0.source)).inserted }
  }
}

/// Patterns made into one, for all tenants of a set: the policies that match them are mostly the same, and compiling
/// takes milliseconds.
final class PatternShelf: Sendable {
  /// More sets of policies that match together than a folder sensibly has; others go without.
  private static let most = 256

  private let known = Mutex<[[Text]: WholeMatches]>([:])

  func wholeMatches(of patterns: [Pattern]) -> WholeMatches {
    guard patterns.count > 1 else { return WholeMatches(patterns) }
    let sources = patterns.map { Text($0.source) }
    return known.withLock { known in
      if let made = known[sources] { return made }
      let made = WholeMatches(patterns)
      if known.count < Self.most { known[sources] = made }
      return made
    }
  }
}
