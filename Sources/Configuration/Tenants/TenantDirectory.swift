package import Primitives

/// An access key and whose it is.
package final class TenantCredential: Sendable {
  package let tenant: Tenant
  /// The tenant's place in its directory, for tables with one slot a tenant.
  package let tenantIndex: Int
  package let key: Tenant.AccessKey

  init(tenant: Tenant, tenantIndex: Int, key: Tenant.AccessKey) {
    self.tenant = tenant
    self.tenantIndex = tenantIndex
    self.key = key
  }
}

/// All tenants, found by access key id.
package struct TenantDirectory: Sendable {
  /// In file order.
  package let tenants: [Tenant]
  /// Open addressing with linear probing, at most half full. Its keys come from the tenants file, so a caller
  /// cannot make it slow, and the hash need not be seeded.
  private let slots: [TenantCredential?]

  /// Of several keys with one id, which the loader refuses, the first counts.
  package init(_ tenants: [Tenant]) {
    self.tenants = tenants
    let count = tenants.reduce(0) { $0 + $1.accessKeys.count }
    var capacity = 4
    while capacity < 2 * count { capacity *= 2 }
    var slots = [TenantCredential?](repeating: nil, count: capacity)
    for (index, tenant) in tenants.enumerated() {
      for key in tenant.accessKeys {
        var slot = Self.hash(key.id.utf8) & (capacity - 1)
        while slots[slot] != nil { slot = (slot + 1) & (capacity - 1) }
        slots[slot] = TenantCredential(tenant: tenant, tenantIndex: index, key: key)
      }
    }
    self.slots = slots
  }

  /// The key with this id, whatever its status.
  package func credential(forAccessKeyID id: Text) -> TenantCredential? {
    credential(forAccessKeyID: id.utf8)
  }

  /// As above, for bytes that are not yet a `Text`.
  package func credential(forAccessKeyID id: some Collection<UInt8>) -> TenantCredential? {
    var slot = Self.hash(id) & (slots.count - 1)
    while let candidate = slots[slot] {
      if candidate.key.id.utf8.elementsEqual(id) { return candidate }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  package func tenant(_ id: Text) -> Tenant? { tenants.first { $0.id == id } }

  /// FNV-1a, 64 bits (RFC 9923), folded.
  private static func hash(_ bytes: some Collection<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
