import ArgumentParser
import Configuration
import OpenSSLCrypto
import Primitives
import StrictJSON

/// Prints a tenant's key as AWS SDKs read it from a `credential_process`.
struct CredentialsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credentials",
    abstract:
      "Print a tenant's access key as credential_process JSON, so that a profile needs no stored secret.",
    discussion: """
      The newest key that is active, for 15 minutes at most: then an SDK asks again, and so follows a rotation.

      EXAMPLES:
        gatehouse credentials --tenant crm
        aws configure set profile.crm.credential_process \\
            'gatehouse credentials --tenant crm --config /etc/gatehouse.json'
      """)

  @OptionGroup var configOption: ConfigOption
  @Option(help: "The tenant whose key it is.")
  var tenant: String

  /// After that SDKs ask again, and so a running process gets the key that a rotation made.
  private static let lifetime = Duration.seconds(15 * 60)

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    let (tenants, problems) = configOption.loader.tenants(of: configuration, configPath: configOption.path)
    guard let tenants else { throw CommandFailure(configuration: problems) }
    guard let found = tenants.tenant(Text(tenant)) else {
      throw CommandFailure(
        unknownTenant: tenant, among: tenants.tenants.map(\.id), in: configuration.tenants.path)
    }
    let now = WallClockTime.now
    // Rotation appends, so the last key is the one that will stay.
    let newest = found.accessKeys.last { key in
      key.status.standing(until: key.notAfter, at: now) == .active
    }
    guard let key = newest else {
      throw CommandFailure(.bad, "tenant `\(tenant)` has no access key that is active")
    }
    let later = now.advanced(byNanoseconds: Self.lifetime.nanoseconds)
    Console.data(json: key.credentialProcessJSON(expiring: key.notAfter.map { min($0, later) } ?? later))
  }
}

extension Tenant.AccessKey {
  /// "Process credential provider", AWS SDKs and Tools Reference Guide.
  fileprivate func credentialProcessJSON(expiring expiration: WallClockTime) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("Version")
    writer.integer(1)
    writer.key("AccessKeyId")
    writer.string(id)
    writer.key("SecretAccessKey")
    writer.string(secret.withBytes { Text(uncheckedUTF8: Array($0)) })
    if let sessionToken {
      writer.key("SessionToken")
      writer.string(sessionToken.withBytes { Text(uncheckedUTF8: Array($0)) })
    }
    writer.key("Expiration")
    writer.string(expiration.rfc3339)
    writer.endObject()
    return writer.bytes
  }
}
