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
  /// Whether rules are made of templates, and of such as only an AppInstance decides.
  private let resolvesRules: Bool
  let resolvesRulesByAppInstance: Bool

  init(_ document: PolicyDocument) {
    self.document = document
    let operations = document.match.operations
    governs = Governance.allCases.map { governance in
      operations.admits(governance.operation.text)
    }
    let elsewhere = (document.tags?.requiredElsewhere ?? []).filter(\.hasTemplate).map { try? Template($0) }
    let templates = document.ruleTemplates.map(\.template) + elsewhere
    resolvesRules = !templates.isEmpty
    resolvesRulesByAppInstance = templates.contains { $0?.needsRequest ?? true }
    shared =
      document.when != nil || resolvesRules
        || document.templates.contains { $0.template?.needsTenant ?? false }
      ? nil : BoundPolicy(document, for: TenantFacts(id: ""))
  }

  /// Whether its `match.operations` take in the operation.
  func governs(_ governance: Governance) -> Bool { governs[Int(governance.rawValue)] }

  /// Whether some request of the tenant's can be the policy's.
  func matches(_ tenant: TenantFacts) -> Bool {
    document.match.lists.admit(tenant) && exclusion(of: tenant)?.takesInAll != true
  }

  /// What `match.exclude` takes in of the tenant's requests; `nil`: none.
  func exclusion(of tenant: TenantFacts) -> Exclusion? {
    document.match.exclude.flatMap { $0.admit(tenant) ? Exclusion($0) : nil }
  }

  /// Why it has no say in the request, or `nil`. A policy that matches other operations only still guards its tags.
  func silence(
    about request: borrowing GovernedRequest, as governance: Governance, for tenant: TenantFacts
  ) -> Explanation.Silence? {
    if document.mode == .off { return .off }
    if !document.match.tenants.admits(tenant.id) { return .otherTenant }
    if !document.match.lists.admit(tenant) { return .otherLabels }
    if !isConcerned(with: governance) { return .otherOperation }
    if !document.match.appInstances.admits(request.appInstanceArn) { return .otherAppInstance }
    let own = PolicyOfTenant(self, tenant, [])
    return own.standing(as: governance, for: request.appInstanceArn.uncheckedText) == .none ? .excluded : nil
  }

  /// Whether it matches the operation, or guards tags that the operation could write or take away.
  func isConcerned(with governance: Governance) -> Bool { governs(governance) || guards(governance) }

  func guards(_ governance: Governance) -> Bool {
    let keepsOwn = document.tags?.set.isEmpty == false || !document.questionedTags.isEmpty
    return switch governance {
    case .tagUser: keepsOwn
    case .untagUser: keepsOwn || document.tags?.required.isEmpty == false
    case .createUser, .updateUser, .putExpiration: false
    }
  }

  /// - Parameter appInstance: matters only if rules are resolved by it.
  func bind(
    to tenant: TenantFacts, rivals: [OwnedPrefixes.Owned], in appInstance: Text? = nil
  ) -> BoundPolicy {
    if let shared, rivals.isEmpty { return shared }
    guard resolvesRules else { return BoundPolicy(document, for: tenant, rivals: rivals) }
    let id = appInstance.flatMap { arn in
      ChimeARNParts(arn.utf8.span).map { arn.utf8.span[$0.appInstanceId].uncheckedText }
    }
    let values = TemplateValues(tenant: tenant, appInstanceID: id)
    return BoundPolicy(document.resolved(for: values), for: tenant, rivals: rivals)
  }
}

/// What `match.exclude` takes in of one tenant's requests.
struct Exclusion: Sendable {
  private let operations: [Glob]?
  /// `nil`: all.
  let appInstances: [Glob]?
  /// Whether it takes in every operation that policies have a say in.
  let takesInAllOperations: Bool

  init(_ lists: PolicyDocument.MatchLists) {
    operations = lists.operations
    appInstances = lists.appInstances
    takesInAllOperations = Governance.allCases.allSatisfy { lists.operations.admits($0.operation.text) }
  }

  var takesInAll: Bool { takesInAllOperations && appInstances == nil }

  func takesIn(_ governance: Governance) -> Bool { operations.admits(governance.operation.text) }
}

/// A policy that matches some of a tenant's requests, bound to the tenant.
struct PolicyOfTenant: Sendable {
  enum Standing: Sendable {
    case none
    /// Of the tags that the policy relies on, nothing else.
    case guards
    case rules
  }

  let compiled: CompiledPolicy
  private let tenant: TenantFacts
  private let rivals: [OwnedPrefixes.Owned]
  /// `nil`: another one for each AppInstance.
  private let shared: BoundPolicy?
  private let exclusion: Exclusion?

  init(_ compiled: CompiledPolicy, _ tenant: TenantFacts, _ rivals: [OwnedPrefixes.Owned]) {
    self.compiled = compiled
    self.tenant = tenant
    self.rivals = rivals
    shared = compiled.resolvesRulesByAppInstance ? nil : compiled.bind(to: tenant, rivals: rivals)
    exclusion = compiled.exclusion(of: tenant)
  }

  /// Whether what it says hangs on the AppInstance.
  var isSelective: Bool {
    compiled.document.match.appInstances != nil || exclusion?.appInstances != nil || shared == nil
  }

  func bound(in appInstance: Text?) -> BoundPolicy {
    shared ?? compiled.bind(to: tenant, rivals: rivals, in: appInstance)
  }

  /// Whether it has a say in some request of this kind.
  func mayHaveSay(as governance: Governance) -> Bool {
    isSelective ? compiled.isConcerned(with: governance) : standing(as: governance, for: nil) != .none
  }

  /// - Parameter appInstance: `nil`: any, for a policy that makes no difference between them.
  func standing(as governance: Governance, for appInstance: Text?) -> Standing {
    guard appInstance.map({ compiled.document.match.appInstances.admits($0) }) ?? true else { return .none }
    let exclusion = exclusion.flatMap { exclusion in
      appInstance.map { exclusion.appInstances.admits($0) } ?? true ? exclusion : nil
    }
    if compiled.governs(governance), exclusion?.takesIn(governance) != true { return .rules }
    // Tags are guarded whatever operations the policy matches.
    return compiled.guards(governance) && exclusion?.takesInAllOperations != true ? .guards : .none
  }
}

extension PolicyDocument.MatchLists {
  /// Whether id and labels match; a label that the tenant does not have is matched by nothing.
  func admit(_ tenant: TenantFacts) -> Bool {
    tenants.admits(tenant.id)
      && tenantLabels.allSatisfy { label in
        tenant.labels[label.name].map { label.values.anyMatches($0) } ?? false
      }
  }
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
