internal import Configuration
internal import Primitives

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
    /// In the order of the policies' names, as are all that follow. Those with a `when` stand apart.
    let enforced: [Entry]
    let filling: LentObjects<Filler>
    let clamping: [Entry]
    /// `nil`: not worth its making, or there is nothing to check.
    let merged: MergedChecks?
    let warned: [Entry]
    /// Of those that would change nothing, and so look at the request that the others do.
    let mergedWarned: MergedChecks?
    /// `nil`: no policy has a `when`.
    let conditional: ConditionalStep?

    init(_ all: [Entry], as governance: Governance, merges: Bool, _ cache: PatternCache) {
      let entries = all.filter { $0.policy.when == nil }
      conditional =
        entries.count == all.count
        ? nil : ConditionalStep(all.filter { $0.policy.when != nil }, as: governance, merges: merges, cache)
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
    private let policies: [PolicyOfTenant]
    private let isSelective: Bool
    /// Of all AppInstances, when they are treated alike; made when first asked for.
    private var only: Step?
    /// By AppInstance, when they are not.
    private var known: [Text: Step] = [:]

    init(_ policies: [PolicyOfTenant], as governance: Governance) {
      self.governance = governance
      self.policies = policies.filter { $0.mayHaveSay(as: governance) }
      isSelective = self.policies.contains { $0.isSelective }
    }

    mutating func step(for appInstance: Span<UInt8>?, _ cache: PatternCache) -> Step? {
      if let only { return only }
      guard isSelective else {
        let made = Step(entries(for: nil), as: governance, merges: true, cache)
        only = made
        return made
      }
      guard let appInstance else { return nil }
      return step(forAppInstance: appInstance.uncheckedText, cache)
    }

    private func entries(for appInstance: Text?) -> [Entry] {
      policies.compactMap { policy in
        switch policy.standing(as: governance, for: appInstance) {
        case .none: nil
        case .guards: Entry(policy.bound(in: appInstance), isGuardOnly: true)
        case .rules: Entry(policy.bound(in: appInstance), isGuardOnly: false)
        }
      }
    }

    private mutating func step(forAppInstance appInstance: Text, _ cache: PatternCache) -> Step {
      if let step = known[appInstance] { return step }
      let isKept = known.count < Self.most
      let step = Step(entries(for: appInstance), as: governance, merges: isKept, cache)
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
    let matching = policies.filter { $0.document.mode != .off && $0.matches(tenant) }
      .map { PolicyOfTenant($0, tenant, rivals) }
    steps = Governance.allCases.map { Steps(matching, as: $0) }
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
