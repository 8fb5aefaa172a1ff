package import Primitives
internal import StrictJSON

/// A tenants file that a command edits: what the command does not touch stays as it was, whatever it is.
package struct TenantsFile: Sendable {
  /// A new access key, as it will stand in the file.
  package struct NewKey: Sendable {
    package enum WrittenSecret: Sendable {
      case plain(String)
      /// What `SealedSecret.seal` gave.
      case sealed(String)
    }

    package let id: String
    package let secret: WrittenSecret

    package init(id: String, secret: WrittenSecret) {
      self.id = id
      self.secret = secret
    }
  }

  /// A tenant that is to be added; what is empty is left out of the file.
  package struct NewTenant: Sendable {
    package var id: String
    package var description = ""
    package var appInstances: [String]
    package var operations: [String] = []
    package var labels: [(key: String, value: String)] = []

    package init(id: String, appInstances: [String]) {
      self.id = id
      self.appInstances = appInstances
    }
  }

  /// What is to be different about a tenant; what is `nil` or empty stays as it is.
  package struct TenantChanges: Sendable {
    /// Empty: the member is taken away.
    package var description: String?
    /// In place of those that it has.
    package var appInstances: [String] = []
    /// In place of those that it has.
    package var operations: [String] = []
    /// Beside those that it has; one of the same name gets the new value.
    package var labels: [(key: String, value: String)] = []

    package init() {}

    package var isEmpty: Bool {
      description == nil && appInstances.isEmpty && operations.isEmpty && labels.isEmpty
    }
  }

  package enum EditFault: Error, Sendable, Hashable {
    case tenantExists(String)
    case noSuchTenant(String, nearest: String? = nil)
    case noSuchAccessKey(String, tenant: String)
    case notATenantsFile

    package var message: String {
      switch self {
      case .tenantExists(let id): "there is a tenant \(quoted(id)) already"
      case .noSuchTenant(let id, let nearest):
        "there is no tenant \(quoted(id))" + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
      case .noSuchAccessKey(let key, let tenant): "tenant \(quoted(tenant)) has no access key \(quoted(key))"
      case .notATenantsFile: "the file has no list of \"tenants\""
      }
    }
  }

  private var root: JSONLiteral

  /// A file without tenants.
  package init() { root = ["tenants": []] }

  package init(parsing bytes: [UInt8], file: String) throws(Problem) {
    do throws(LocatedSyntaxError) {
      root = JSONLiteral(try parseLocated(bytes))
    } catch {
      throw Problem(file: file, position: error.position, message: error.message)
    }
  }

  /// The file's new content.
  package var bytes: [UInt8] { root.prettyBytes }
}

extension TenantsFile {
  package func adding(_ tenant: NewTenant, key: NewKey) throws(EditFault) -> TenantsFile {
    guard case .array(var tenants) = root["tenants"] else { throw .notATenantsFile }
    guard !tenants.contains(where: { $0.isTenant(tenant.id) }) else { throw .tenantExists(tenant.id) }
    var entry: JSONLiteral = ["id": .string(tenant.id)]
    if !tenant.description.isEmpty { entry["description"] = .string(tenant.description) }
    entry["accessKeys"] = [key.literal]
    entry["appInstances"] = .array(tenant.appInstances.map { .string($0) })
    if !tenant.operations.isEmpty { entry["operations"] = .array(tenant.operations.map { .string($0) }) }
    if !tenant.labels.isEmpty {
      entry["labels"] = .object(tenant.labels.map { .init($0.key, .string($0.value)) })
    }
    tenants.append(entry)
    return with(tenants)
  }

  /// Changes what a tenant is and may do; its keys, and whatever else it has, stay.
  package func updating(_ tenant: String, _ changes: TenantChanges) throws(EditFault) -> TenantsFile {
    try editing(tenant) { entry in
      if let description = changes.description {
        entry["description"] = description.isEmpty ? nil : .string(description)
      }
      for (member, list) in [("appInstances", changes.appInstances), ("operations", changes.operations)]
      where !list.isEmpty {
        entry[member] = .array(list.map { .string($0) })
      }
      guard !changes.labels.isEmpty else { return }
      var labels = entry["labels"] ?? .object([])
      for label in changes.labels { labels[label.key] = .string(label.value) }
      entry["labels"] = labels
    }
  }

  /// Gives a tenant a new key. Its other keys end after `overlap`, or at once when that is zero; one that would
  /// end sooner still does.
  package func rotating(
    _ tenant: String, to key: NewKey, overlap: Duration, now: WallClockTime
  ) throws(EditFault) -> TenantsFile {
    let end = now.advanced(byNanoseconds: overlap.nanoseconds)
    return try editingKeys(of: tenant) { keys in
      for index in keys.indices {
        if overlap > .zero {
          keys[index].end(by: end)
        } else {
          keys[index]["status"] = "revoked"
        }
      }
      keys.append(key.literal)
    }
  }

  /// Revokes one access key of a tenant, or all of them.
  package func revoking(_ tenant: String, accessKey: String? = nil) throws(EditFault) -> TenantsFile {
    var found = accessKey == nil
    let edited = try editingKeys(of: tenant) { keys in
      for index in keys.indices {
        if let accessKey {
          guard case .string(accessKey) = keys[index]["id"] else { continue }
        }
        keys[index]["status"] = "revoked"
        found = true
      }
    }
    if let accessKey, !found { throw .noSuchAccessKey(accessKey, tenant: tenant) }
    return edited
  }

  private func editingKeys(
    of tenant: String, _ edit: (inout [JSONLiteral]) -> Void
  ) throws(EditFault) -> TenantsFile {
    try editing(tenant) { entry in
      var keys: [JSONLiteral] = []
      if case .array(let existing) = entry["accessKeys"] { keys = existing }
      edit(&keys)
      entry["accessKeys"] = .array(keys)
    }
  }

  private func editing(
    _ tenant: String, _ edit: (inout JSONLiteral) -> Void
  ) throws(EditFault) -> TenantsFile {
    guard case .array(var tenants) = root["tenants"] else { throw .notATenantsFile }
    guard let index = tenants.firstIndex(where: { $0.isTenant(tenant) }) else {
      throw .noSuchTenant(tenant, nearest: nearest(to: tenant, among: tenants.compactMap(\.tenantID)))
    }
    edit(&tenants[index])
    return with(tenants)
  }

  private func with(_ tenants: [JSONLiteral]) -> TenantsFile {
    var copy = self
    copy.root["tenants"] = .array(tenants)
    return copy
  }
}

extension TenantsFile.NewKey {
  fileprivate var literal: JSONLiteral {
    switch secret {
    case .plain(let text): ["id": .string(id), "secret": .string(text), "status": "active"]
    case .sealed(let text): ["id": .string(id), "sealedSecret": .string(text), "status": "active"]
    }
  }
}

extension JSONLiteral {
  fileprivate var tenantID: String? {
    if case .string(let id) = self["id"] { id } else { nil }
  }

  fileprivate func isTenant(_ id: String) -> Bool { tenantID == id }

  /// Makes a key end at `time` unless it ends sooner.
  fileprivate mutating func end(by time: WallClockTime) {
    if case .string(let written) = self["notAfter"], let earlier = WallClockTime(rfc3339: written),
      earlier <= time
    {
      return
    }
    var text: [UInt8] = []
    time.appendRFC3339(to: &text)
    self["notAfter"] = .string(String(decoding: text, as: UTF8.self))
  }
}
