package import Primitives

/// All tenants of one file.
package struct TenantDirectory: Sendable {
  /// In file order.
  package let tenants: [Tenant]

  package init(_ tenants: [Tenant]) { self.tenants = tenants }

  package func tenant(_ id: Text) -> Tenant? { tenants.first { $0.id == id } }
}
