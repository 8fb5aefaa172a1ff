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
      "Print a tenant's access key as credential_process JSON, so that a profile needs no stored secret.")

  @OptionGroup var configOption: ConfigOption
  @Option(help: "The tenant whose key it is.")
  var tenant: String

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    let (tenants, problems) = configOption.loader.tenants(of: configuration, configPath: configOption.path)
    guard let tenants else { throw CommandFailure(configuration: problems) }
    guard let found = tenants.tenant(Text(tenant)) else {
      throw CommandFailure(.bad, "there is no tenant `\(tenant)` in \(configuration.tenants.path)")
    }
    let now = WallClockTime.now
    let usable = found.accessKeys.filter { key in
      key.status == .active && key.notAfter.map { now < $0 } ?? true
    }
    // Rotation appends, so the last key is the one that will stay.
    guard let key = usable.last else {
      throw CommandFailure(.bad, "tenant `\(tenant)` has no access key that is active")
    }
    Console.data(json: key.credentialProcessJSON)
  }
}

extension Tenant.AccessKey {
  /// "Process credential provider", AWS SDKs and Tools Reference Guide.
  fileprivate var credentialProcessJSON: [UInt8] {
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
    if let notAfter {
      var time: [UInt8] = []
      notAfter.appendRFC3339(to: &time)
      writer.key("Expiration")
      writer.string(Text(uncheckedUTF8: time))
    }
    writer.endObject()
    return writer.bytes
  }
}
