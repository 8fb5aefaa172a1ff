package import OpenSSLCrypto
package import Patterns
package import Primitives
package import StrictJSON

/// A tenant as its file says it, secrets not yet opened.
package struct TenantEntry: Sendable {
  package struct AccessKey: Sendable {
    package var id: Text
    package var secret: SecretSource
    package var sessionToken: Secret?
    package var status: Tenant.AccessKey.Status
    package var notAfter: WallClockTime?
    package var position: SourcePosition
  }

  /// Where a secret access key is.
  package enum SecretSource: Sendable {
    case written(Secret, SourcePosition)
    /// Written as `${ENV:NAME}`, so that the file holds no secret.
    case environment(Secret)
    case file(FileReference)
    /// See `SealedSecret`.
    case sealed(String, SourcePosition)
  }

  package var id: Text
  package var description: String
  package var accessKeys: [AccessKey]
  package var clientCertificates: [Text]
  package var appInstances: [Glob]
  package var operations: [String]
  package var rateLimit: Tenant.RateLimit?
  package var regions: [PolicyDocument.Located<String>]?
  package var role: Tenant.Role?
  package var labels: [(key: Text, value: Text)]
  package var position: SourcePosition
}

extension TenantEntry {
  /// The whole file.
  static func fileForm(knownOperations: [String]) -> Form<[TenantEntry]> {
    let tenants = Form<[TenantEntry]>.list(of: form(knownOperations: knownOperations), "a list of tenants")
    return .object("a tenants object") { keys in
      keys.schemaReference()
      let entries = keys.required("tenants", tenants, "The applications that may call.")
      if let entries { refuseRepeats(in: entries, keys) }
      return entries
    }
  }

  private static func form(knownOperations: [String]) -> Form<TenantEntry> {
    let key = AccessKey.form
    return .object("a tenant object") { keys in
      let id = keys.required("id", .tenantID, "Name of the tenant, unique.")
      let description = keys.value("description", .string, default: "", "For people.")
      let accessKeys = keys.required(
        "accessKeys", .list(of: key, "a list of access keys"), "Keys that the tenant signs its requests with."
      )
      let certificates = keys.list(
        "clientCertificates", .list(of: .nonEmptyText("a URI or DNS name"), "a list of URI or DNS names"),
        "Subject alternative names, one of which the client certificate must bear.")
      let appInstances = keys.required(
        "appInstances", .list(of: .appInstance, "a list of at least one AppInstance ARN", atLeast: 1),
        "Globs of the AppInstance ARNs that the tenant is confined to.")
      let operations = keys.optional(
        "operations", .list(of: .operation(knownOperations), "a list of operations"),
        "What the tenant may call; CreateAppInstanceUser when absent.")
      let rateLimit = keys.optional(
        "rateLimit", Tenant.RateLimit.form(knownOperations: knownOperations), "The tenant's own limits.")
      let regions = keys.optional(
        "regions", .list(of: Form.region.located, "a list of at least one region", atLeast: 1),
        "The regions that the tenant may call in; all that are served when absent.")
      let labels = keys.optional(
        "labels", .map(from: { Text($0) }, to: .text, "an object of strings"),
        "Values that policies may refer to as ${tenant.labels.NAME}.")
      let role = keys.optional(
        "assumeRole", Tenant.Role.form, "The role that the tenant's calls are signed with.")
      if let role, let id { Tenant.Role.judge(role, of: id, keys) }
      guard let id, let accessKeys, let appInstances else { return nil }
      return TenantEntry(
        id: id.value, description: description, accessKeys: accessKeys, clientCertificates: certificates,
        appInstances: appInstances, operations: operations ?? Tenant.defaultOperations, rateLimit: rateLimit,
        regions: regions, role: role, labels: (labels ?? []).map { ($0.key.value, $0.value) },
        position: id.position)
    }
  }

  private static func refuseRepeats(in entries: [TenantEntry], _ keys: Keys) {
    var tenants: Set<Text> = []
    var accessKeys: [Text: Text] = [:]
    for entry in entries {
      if !tenants.insert(entry.id).inserted {
        keys.error(at: entry.position, "another tenant has the id \(quoted(entry.id.string))")
      }
      for key in entry.accessKeys {
        if let owner = accessKeys.updateValue(entry.id, forKey: key.id) {
          keys.error(
            at: key.position,
            "access key id \(quoted(key.id.string)) is already one of tenant \(quoted(owner.string))")
        }
      }
    }
  }
}

extension TenantEntry.AccessKey {
  fileprivate static let form = Form<Self>.object("an access key object") { keys in
    let id = keys.required("id", .accessKeyID, "Access key id, unique among all tenants.")
    let written = keys.optional(
      "secret", .secret, "Secret access key; the file must then be its owner's only.")
    let file = keys.optional("secretFile", .path, "File with the secret access key.")
    let sealed = keys.optional(
      "sealedSecret", Form.nonEmpty("a sealed secret").located,
      "Secret access key under $GATEHOUSE_MASTER_KEY: v1: and base64 of nonce, ciphertext and tag of AES-256-GCM."
    )
    let token = keys.optional("sessionToken", .secret, "What X-Amz-Security-Token must then be.")
    let status = keys.value(
      "status", .choice(), default: Tenant.AccessKey.Status.active, "Whether it may be used.")
    let notAfter = keys.optional("notAfter", .time, "When it ends.")
    keys.requireOne(of: ["secret", "secretFile", "sealedSecret"])
    guard let id else { return nil }
    let source: TenantEntry.SecretSource
    switch (written, file, sealed) {
    case (let written?, nil, nil):
      let position = keys.position(of: "secret")
      source = keys.refersToEnvironment("secret") ? .environment(written) : .written(written, position)
    case (nil, let file?, nil): source = .file(file)
    case (nil, nil, let sealed?): source = .sealed(sealed.value, sealed.position)
    default: return nil
    }
    return Self(
      id: id.value, secret: source, sessionToken: token, status: status, notAfter: notAfter,
      position: id.position)
  }
}
