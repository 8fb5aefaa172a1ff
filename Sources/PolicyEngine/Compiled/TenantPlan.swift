internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives

/// A policy of the set and what can be known of it before any request.
struct CompiledPolicy: Sendable {
  let document: PolicyDocument
  private let governs: [Bool]
  /// The policy as it applies to any tenant, when it has nothing of the tenant in it.
  private let shared: BoundPolicy?

  init(_ document: PolicyDocument) {
    self.document = document
    let operations = document.match.operations
    governs = Governance.allCases.map { governance in
      operations.admits(governance.operation.text)
    }
    shared =
      document.templates.contains { $0.template?.needsTenant ?? false }
      ? nil : BoundPolicy(document, for: TenantFacts(id: ""))
  }

  func governs(_ governance: Governance) -> Bool { governs[Int(governance.rawValue)] }

  func matches(_ tenant: TenantFacts) -> Bool {
    document.match.tenants.admits(tenant.id)
  }

  /// Why it has no say in the request, or `nil`. A policy that matches other operations only still guards its tags.
  func silence(
    about request: borrowing GovernedRequest, as governance: Governance, for tenant: TenantFacts
  ) -> Explanation.Silence? {
    if document.mode == .off { return .off }
    if !matches(tenant) { return .otherTenant }
    if !isConcerned(with: governance) { return .otherOperation }
    return document.match.appInstances.admits(request.appInstanceArn) ? nil : .otherAppInstance
  }

  /// Whether it matches the operation, or guards tags that the operation could write or take away.
  func isConcerned(with governance: Governance) -> Bool {
    if governs(governance) { return true }
    guard let tags = document.tags else { return false }
    return switch governance {
    case .tagUser: !tags.set.isEmpty
    case .untagUser: !tags.set.isEmpty || !tags.required.isEmpty
    case .createUser, .updateUser, .putExpiration: false
    }
  }

  func bind(to tenant: TenantFacts, rivals: [OwnedPrefixes.Owned]) -> BoundPolicy {
    if let shared, rivals.isEmpty { return shared }
    return BoundPolicy(document, for: tenant, rivals: rivals)
  }
}

/// The policies that have a say in one tenant's requests, selected and bound once. Guarded by the one who owns it.
final class TenantPlan {
  struct Entry: Sendable {
    let policy: BoundPolicy
    /// The policy matches other operations only, and of this one just the tags that it relies on.
    let isGuardOnly: Bool
    let fills: Bool
    let clamps: Bool

    init(_ policy: BoundPolicy, isGuardOnly: Bool) {
      self.policy = policy
      self.isGuardOnly = isGuardOnly
      fills = !isGuardOnly && policy.fills
      clamps = !isGuardOnly && policy.clamps
    }
  }

  /// For one operation and, if policies match by AppInstance, for one of these.
  final class Step: Sendable {
    /// In the order of the policies' names, as are all that follow.
    let enforced: [Entry]
    let filling: LentObjects<Filler>
    let clamping: [Entry]
    /// `nil`: not worth its making, or there is nothing to check.
    let merged: MergedChecks?
    let warned: [Entry]
    /// Of those that would change nothing, and so look at the request that the others do.
    let mergedWarned: MergedChecks?

    init(_ entries: [Entry], as governance: Governance, merges: Bool, _ cache: PatternCache) {
      enforced = entries.filter { $0.policy.mode == .enforce }
      filling = LentObjects(Self.effective(enforced.filter(\.fills), as: governance))
      clamping = Self.lowering(enforced.filter(\.clamps))
      warned = entries.filter { $0.policy.mode == .warn }
      let unchanging = warned.filter { !$0.fills && !$0.clamps }
      merged = merges && !enforced.isEmpty ? MergedChecks(enforced, as: governance, cache) : nil
      mergedWarned = merges && !unchanging.isEmpty ? MergedChecks(unchanging, as: governance, cache) : nil
    }
  }

  /// Something that a policy may put in.
  final class Filler: Sendable {
    let policy: BoundPolicy
    let filling: Filling

    init(policy: BoundPolicy, filling: Filling) {
      self.policy = policy
      self.filling = filling
    }
  }

  /// For one operation: all entries, and the steps that were asked for.
  private struct Steps {
    /// Enough for the AppInstances of most tenants; for others steps are made for each request, unmerged.
    private static let most = 64

    private let governance: Governance
    private let entries: [Entry]
    private let isSelective: Bool
    /// Of all AppInstances, when they are treated alike; made when first asked for.
    private var only: Step?
    /// By AppInstance, when they are not.
    private var known: [Text: Step] = [:]

    init(_ entries: [Entry], as governance: Governance) {
      self.governance = governance
      self.entries = entries
      isSelective = entries.contains { $0.policy.appInstances != nil }
    }

    mutating func step(for appInstance: Span<UInt8>?, _ cache: PatternCache) -> Step? {
      if let only { return only }
      guard isSelective else {
        let made = Step(entries, as: governance, merges: true, cache)
        only = made
        return made
      }
      guard let appInstance else { return nil }
      return step(forAppInstance: appInstance.uncheckedText, cache)
    }

    private mutating func step(forAppInstance appInstance: Text, _ cache: PatternCache) -> Step {
      if let step = known[appInstance] { return step }
      let matching = entries.filter { $0.policy.appInstances.admits(appInstance) }
      let isKept = known.count < Self.most
      let step = Step(matching, as: governance, merges: isKept, cache)
      if isKept { known[appInstance] = step }
      return step
    }
  }

  private var steps: [Steps]
  private let cache: PatternCache

  /// - Parameter rivals: what of the tenant's own prefixes belongs to others.
  init(
    _ policies: [CompiledPolicy], for tenant: TenantFacts, rivals: [OwnedPrefixes.Owned],
    _ cache: PatternCache
  ) {
    self.cache = cache
    let bound = policies.filter { $0.document.mode != .off && $0.matches(tenant) }
      .map { (compiled: $0, policy: $0.bind(to: tenant, rivals: rivals)) }
    steps = Governance.allCases.map { governance in
      let entries = bound.filter { $0.compiled.isConcerned(with: governance) }.map {
        Entry($0.policy, isGuardOnly: !$0.compiled.governs(governance))
      }
      return Steps(entries, as: governance)
    }
  }

  /// - Parameter appInstance: `nil`: only a step that is the same for all is wanted.
  func step(for appInstance: Span<UInt8>?, as governance: Governance) -> Step? {
    steps[Int(governance.rawValue)].step(for: appInstance, cache)
  }
}

extension TenantPlan.Step {
  /// What can make a difference of all that these policies put in, in the order in which they do. Policies of one
  /// organisation set the same tags, so most of it is said more than once.
  fileprivate static func effective(
    _ entries: [TenantPlan.Entry], as governance: Governance
  ) -> [TenantPlan.Filler] {
    // No tag is ever taken away, so a default that was tried once is settled; so are days. A value set again
    // makes no difference unless another was set in between.
    var defaults: Set<DefaultTried> = []
    var assigned: [Text: BoundTemplate] = [:]
    var hasDays = false
    return entries.flatMap { entry in
      entry.policy.fillings.filter { filling in
        guard filling.applies(to: governance) else { return false }
        guard let tag = filling.tag else {
          defer { hasDays = true }
          return !hasDays
        }
        return filling.kind == .defaulted
          ? defaults.insert(DefaultTried(key: tag.key.text, value: tag.value)).inserted
          : assigned.updateValue(tag.value, forKey: tag.key.text) != tag.value
      }.map { TenantPlan.Filler(policy: entry.policy, filling: $0) }
    }
  }

  /// The ceilings that are lower than all before them.
  fileprivate static func lowering(_ entries: [TenantPlan.Entry]) -> [TenantPlan.Entry] {
    var lowest = Int.max
    return entries.filter { entry in
      guard let most = entry.policy.expiration?.maxDays, most < lowest else { return false }
      lowest = most
      return true
    }
  }
}

private struct DefaultTried: Hashable {
  let key: Text
  let value: BoundTemplate
}

extension [Glob]? {
  /// Whether one of a match list's globs matches; a list that was left out admits all.
  func admits(_ text: Text) -> Bool { admits(text.utf8.span) }

  func admits(_ text: Span<UInt8>) -> Bool { self?.anyMatches(text) ?? true }
}

extension [Glob] {
  func anyMatches(_ text: Text) -> Bool { anyMatches(text.utf8.span) }

  func anyMatches(_ text: Span<UInt8>) -> Bool {
    let globs = span
    for index in globs.indices where globs[index].matches(text) { return true }
    return false
  }
}
