package import Configuration
internal import Patterns
package import PolicyEngine
package import Primitives

/// What policies say of a user.
package struct ScanFinding: Sendable {
  package let user: ScannedUser
  /// `nil`: nobody knows whose it is.
  package let tenant: Text?
  /// Of `enforce` policies.
  package let violations: [Violation]
  /// Of `warn` policies.
  package let warnings: [Violation]

  package var isClean: Bool { violations.isEmpty && warnings.isEmpty }
}

/// Holds users against policies as they are: nothing is filled in, set or lowered, as nobody is there whose request could
/// be changed. So a user without a tag that has a default lacks it.
package struct UserJudge: Sendable {
  private let policies: PolicySet
  private let tenants: [Text: TenantPolicies]
  /// For users whose tenant is not known: what does not hang on who the tenant is.
  private let ofNobody: TenantPolicies
  private let now: WallClockTime

  /// - Parameters:
  ///   - documents: that can be in force, which `PolicySet.compile` says.
  ///   - exceptions: beside them; what they cover is a warning.
  ///   - tenants: as the tenants file has them today; labels are not recorded.
  ///   - now: until when exceptions hold.
  package init(
    documents: [PolicyDocument], exceptions: [ExceptionDocument], tenants: [TenantFacts],
    now: WallClockTime
  ) {
    self.now = now
    let asTheyAre = documents.map(\.withoutChanges)
    policies = PolicySet.compile(documents: asTheyAre, exceptions: exceptions, tenants: tenants).0
    self.tenants = Dictionary(
      tenants.map { [policies] in ($0.id, policies.policies(for: $0)) },
      uniquingKeysWith: { first, _ in first })
    let nobody = TenantFacts(id: "")
    ofNobody =
      PolicySet.compile(
        documents: asTheyAre.compactMap(\.withoutTenants),
        exceptions: exceptions.filter { $0.isForAnyTenant }, tenants: []
      ).0.policies(for: nobody)
  }

  /// - Parameter tenant: `nil`: not known.
  package func judge(_ user: ScannedUser, of tenant: Text?) -> ScanFinding {
    let known = tenant.flatMap { policies(of: $0) }
    var facts = user.facts
    let decision = (known ?? ofNobody).decide(&facts, at: now)
    return ScanFinding(
      user: user, tenant: known?.facts.id, violations: decision.violations, warnings: decision.warnings)
  }

  /// `nil` for a tenant that is no longer there and whose labels policies need.
  private func policies(of tenant: Text) -> TenantPolicies? {
    if let known = tenants[tenant] { return known }
    return policies.needLabels(of: tenant) ? nil : policies.policies(for: TenantFacts(id: tenant))
  }
}

extension PolicyDocument {
  /// The same rules, and nothing that a request is given.
  fileprivate var withoutChanges: PolicyDocument {
    var copy = self
    if var tags {
      // What the policy sets itself is exempt from its `allowedKeys`, so that its own users keep the rule.
      if let allowed = tags.allowedKeys { tags.allowedKeys = allowed + tags.set.map { Glob($0.key.value) } }
      tags.set = []
      for index in tags.required.indices { tags.required[index].defaultValue = nil }
      copy.tags = tags
    }
    copy.expiration?.defaultDays = nil
    copy.expiration?.onExcess = .deny
    return copy
  }

  /// What of it is the same whoever the tenant is; `nil`: it is for certain tenants only.
  fileprivate var withoutTenants: PolicyDocument? {
    guard match.isForAnyTenant, when?.asksForTenant != true else { return nil }
    var copy = self
    copy.appInstanceUserId?.dropTenants()
    copy.userName?.dropTenants()
    copy.metadata?.forbidden.dropTenants()
    if let prefix = appInstanceUserId?.prefix, prefix.needsTenant { copy.appInstanceUserId?.prefix = nil }
    if var tags {
      tags.required.removeAll(where: \.key.needsTenant)
      for index in tags.required.indices {
        tags.required[index].pattern.dropTenants()
        guard tags.required[index].values?.contains(where: \.needsTenant) ?? false else { continue }
        tags.required[index].dropValues()
      }
      if tags.allowedKeys?.contains(where: { $0.source.needsTenant }) ?? false { tags.allowedKeys = nil }
      copy.tags = tags
    }
    return copy
  }
}

extension PolicyDocument.When.Field {
  fileprivate var isOfTenant: Bool {
    switch self {
    case .tenantID, .tenantLabel: true
    case .userID, .name, .metadata, .expirationDays, .tag: false
    }
  }
}

extension PolicyDocument.Match {
  /// Whether a tenant that nobody knows is matched. Whether such a one is excluded, nobody knows.
  fileprivate var isForAnyTenant: Bool {
    (lists.tenants?.contains { $0.source == "*" } ?? true) && lists.tenantLabels.isEmpty
      && exclude?.tenants == nil && exclude?.tenantLabels.isEmpty ?? true
  }
}

extension PolicyDocument.When {
  fileprivate var asksForTenant: Bool { conditions.contains { $0.field.isOfTenant } }
}

extension ExceptionDocument {
  fileprivate var isForAnyTenant: Bool { match.isForAnyTenant && when?.asksForTenant != true }
}

// Rules in which a tenant's id or label stands say nothing of users whose tenant is not known.

extension PolicyDocument.StringRules {
  fileprivate mutating func dropTenants() {
    pattern.dropTenants()
    forbidden.dropTenants()
  }
}

extension PolicyDocument.PatternRule {
  fileprivate mutating func dropTenants() {
    if template?.value.template.needsTenant ?? false { template = nil }
  }
}

extension PolicyDocument.ForbiddenRule {
  fileprivate mutating func dropTenants() { templates.removeAll { $0.value.template.needsTenant } }
}

extension PolicyDocument.RequiredTag {
  /// A value may be the tenant's own, so none is known to be wrong.
  fileprivate mutating func dropValues() {
    values = nil
    listed = nil
  }
}

extension PolicyDocument.Located<Text> {
  fileprivate var needsTenant: Bool { value.needsTenant }
}

extension Text {
  fileprivate var needsTenant: Bool { (try? Template(self))?.needsTenant ?? true }
}
