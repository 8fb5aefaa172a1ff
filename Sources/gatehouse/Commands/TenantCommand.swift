import ArgumentParser
import Configuration
import Primitives

/// The commands on the tenants file.
struct TenantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Manage the tenants file.",
    discussion: """
      EXAMPLES:
        gatehouse tenant list
        gatehouse tenant create crm --app-instance "$ARN" --output crm.env
      """,
    subcommands: [
      TenantCreateCommand.self,
      TenantUpdateCommand.self,
      TenantListCommand.self,
      TenantShowCommand.self,
      TenantRotateCommand.self,
      TenantRevokeCommand.self,
    ])
}

/// What `create` and `update` say about a tenant.
struct TenantOptions: ParsableArguments {
  @Option(help: "Glob of AppInstance ARNs that it is confined to; may be repeated.")
  var appInstance: [String] = []
  @Option(help: "Operation that it may call; may be repeated. (default of create: CreateAppInstanceUser)")
  var operation: [String] = []
  @Option(help: "Label KEY=VALUE that policies can refer to; may be repeated.")
  var label: [String] = []
  @Option(help: "What the tenant is, for people.")
  var description: String?

  func validate() throws {
    guard label.allSatisfy({ Self.split($0) != nil }) else {
      throw ValidationError("a label has the form KEY=VALUE")
    }
  }

  var labels: [(key: String, value: String)] { label.compactMap(Self.split) }

  private static func split(_ label: String) -> (key: String, value: String)? {
    guard let equals = label.firstIndex(of: "="), equals > label.startIndex else { return nil }
    return (String(label[..<equals]), String(label[label.index(after: equals)...]))
  }
}

/// Where a new access key goes.
struct KeyOption: ParsableArguments {
  @Option(help: "File that the access key is written to, for its owner only, instead of being printed.")
  var output: String?
}

struct TenantCreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Add a tenant and print its access key, once.",
    discussion: """
      EXAMPLES:
        gatehouse tenant create crm --app-instance "$ARN" --output crm.env
        gatehouse tenant create crm --app-instance "$ARN" \\
            --operation CreateAppInstanceUser --operation DescribeAppInstanceUser \\
            --label owner=crm@example.com
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Argument(help: "Name of the tenant.")
  var id: String
  @OptionGroup var options: TenantOptions
  @OptionGroup var keyOption: KeyOption

  func validate() throws {
    guard !options.appInstance.isEmpty else {
      throw ValidationError("Missing expected argument '--app-instance'")
    }
  }

  func run() throws {
    let tenants = try TenantsOnDisk(configOption)
    let key = try NewAccessKey()
    var tenant = TenantsFile.NewTenant(id: id, appInstances: options.appInstance)
    tenant.description = options.description ?? ""
    tenant.operations = options.operation
    tenant.labels = options.labels
    try key.handOut(tenant: id, formatOption.format, to: keyOption.output) {
      try tenants.edit(mayBeMissing: true) { file throws(TenantsFile.EditFault) in
        try file.adding(tenant, key: key.written)
      }
    }
    tenants.sayWhatIsLeft("tenant `\(id)` is in")
  }
}

struct TenantUpdateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Change what a tenant is and may do; its access keys stay.",
    discussion: """
      AppInstances and operations that are given take the place of those that the tenant has; labels join those that it \
      has. What is not named stays, as do all other members of the tenant. An empty --description takes it away.

      EXAMPLES:
        gatehouse tenant update crm --label costCenter=4712
        gatehouse tenant update crm \\
            --operation CreateAppInstanceUser --operation TagResource
      """)

  @OptionGroup var configOption: ConfigOption
  @Argument(help: "Name of the tenant.")
  var id: String
  @OptionGroup var options: TenantOptions

  private var changes: TenantsFile.TenantChanges {
    var changes = TenantsFile.TenantChanges()
    changes.description = options.description
    changes.appInstances = options.appInstance
    changes.operations = options.operation
    changes.labels = options.labels
    return changes
  }

  func validate() throws {
    guard !changes.isEmpty else {
      throw ValidationError(
        "nothing to change; give at least one of --app-instance, --operation, --label, --description")
    }
  }

  func run() throws {
    let tenants = try TenantsOnDisk(configOption)
    try tenants.edit { file throws(TenantsFile.EditFault) in try file.updating(id, changes) }
    tenants.sayWhatIsLeft("tenant `\(id)` is changed in")
  }
}

struct TenantRotateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Give a tenant a new access key, print it once, and end the old ones.",
    discussion: """
      EXAMPLES:
        gatehouse tenant rotate crm --overlap 24h --output crm.env
        gatehouse tenant rotate crm --format json
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Argument(help: "Name of the tenant.")
  var id: String
  @Option(help: "How long the old keys stay valid, such as 24h.", transform: parseDuration)
  var overlap = Duration.zero
  @OptionGroup var keyOption: KeyOption

  func run() throws {
    let tenants = try TenantsOnDisk(configOption)
    let key = try NewAccessKey()
    let now = WallClockTime.now
    try key.handOut(tenant: id, formatOption.format, to: keyOption.output) {
      try tenants.edit { file throws(TenantsFile.EditFault) in
        try file.rotating(id, to: key.written, overlap: overlap, now: now)
      }
    }
    tenants.sayWhatIsLeft("the new key of tenant `\(id)` is in")
  }
}

struct TenantRevokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Revoke one access key of a tenant, or all of them.",
    discussion: """
      EXAMPLES:
        gatehouse tenant revoke crm --access-key GHAKCRM00000000001
        gatehouse tenant revoke crm
      """)

  @OptionGroup var configOption: ConfigOption
  @Argument(help: "Name of the tenant.")
  var id: String
  @Option(help: "Id of the access key. (default: all of the tenant's)")
  var accessKey: String?

  func run() throws {
    let tenants = try TenantsOnDisk(configOption)
    try tenants.edit { file throws(TenantsFile.EditFault) in try file.revoking(id, accessKey: accessKey) }
    let what = accessKey.map { "access key `\($0)`" } ?? "every access key"
    tenants.sayWhatIsLeft("\(what) of tenant `\(id)` is revoked in")
  }
}

/// A duration as configuration files write it.
@Sendable func parseDuration(_ text: String) throws -> Duration {
  guard let duration = Duration(written: text) else {
    throw ValidationError("expected a duration such as 250ms, 10s, 5m, 24h or 7d, found `\(text)`")
  }
  return duration
}
