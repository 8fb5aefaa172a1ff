import AuditShipping
import Configuration
import Primitives

extension PostgresSource {
  /// What `--from postgres` asks.
  /// - Parameter gateway: of which gateway; `nil`: of all.
  convenience init(
    of audit: GatewayConfiguration.Audit, configPath: String, gateway: String?
  ) throws(CommandFailure) {
    guard let postgres = audit.postgres else {
      throw CommandFailure(
        .configuration,
        "\(configPath): `audit.postgres` is not set, which --from postgres asks; expected an object with \"url\""
      )
    }
    do throws(ShippingFailure) {
      try self.init(postgres, gateway: gateway.map { Text($0) })
    } catch {
      throw CommandFailure(.bad, "the database \(postgres.url.shown): \(error.message)")
    }
  }
}
