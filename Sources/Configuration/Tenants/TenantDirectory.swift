package import Primitives

/// All tenants of one file.
package struct TenantDirectory: Sendable {
  /// In file order.
  package let tenants: [Tenant]
  /// Of the keys that have one, in file order.
  package let keyEnds: [AccessKeyEnd]

  package init(_ tenants: [Tenant], keyEnds: [AccessKeyEnd] = []) {
    self.tenants = tenants
    self.keyEnds = keyEnds
  }

  package func tenant(_ id: Text) -> Tenant? { tenants.first { $0.id == id } }
}
