package import Configuration
package import Primitives

/// Whose request it is, as far as templates and matches need it.
package struct TenantFacts: Sendable, Hashable {
  package var id: Text
  package var labels: [Text: Text]

  package init(id: Text, labels: [Text: Text] = [:]) {
    self.id = id
    self.labels = labels
  }

  package init(_ tenant: Tenant) {
    self.init(id: tenant.id, labels: tenant.labels)
  }
}
