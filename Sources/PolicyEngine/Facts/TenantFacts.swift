internal import ChimeIdentity
package import Configuration
package import Patterns
package import Primitives

/// Whose request it is: what templates and matches need, and what the tenant may do.
package struct TenantFacts: Sendable, Hashable {
  package var id: Text
  package var labels: [Text: Text]
  /// The names of the operations that the tenant may call; `nil`: all.
  package var operations: Set<String>?
  /// Globs over the ARNs of the AppInstances that are the tenant's; `nil`: any.
  package var appInstances: [Glob]?
  /// The regions that the tenant may call in; `nil`: any.
  package var regions: [String]?

  package init(
    id: Text, labels: [Text: Text] = [:], operations: Set<String>? = nil, appInstances: [Glob]? = nil,
    regions: [String]? = nil
  ) {
    self.id = id
    self.labels = labels
    self.operations = operations
    self.appInstances = appInstances
    self.regions = regions
  }

  package init(_ tenant: Tenant) {
    self.init(
      id: tenant.id, labels: tenant.labels, operations: tenant.operations, appInstances: tenant.appInstances,
      regions: tenant.regions)
  }
}

extension CompiledPolicy {
  /// Whether the policy can have a say in a request of the tenant's that is one of these.
  func canMeet(_ tenant: TenantFacts, in calls: [Governance]) -> Bool {
    guard matches(tenant) else { return false }
    let exclusion = exclusion(of: tenant)
    let isCalled = calls.contains { call in
      governs(call) && !(exclusion?.appInstances == nil && exclusion?.takesIn(call) == true)
        && tenant.operations?.contains(call.operation.name) ?? true
    }
    return isCalled && PolicyDocument.Match.overlap(document.match.appInstances, tenant.appInstances)
  }
}
