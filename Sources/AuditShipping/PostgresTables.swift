internal import Configuration
internal import OpenSSLCrypto

/// The tables of all gateways in a database.
struct PostgresTables: Sendable {
  private let settings: GatewayConfiguration.Postgres

  /// How long a statement that stores records may take.
  private static let timeout = Duration.seconds(30)

  init(_ settings: GatewayConfiguration.Postgres) { self.settings = settings }

  /// `host:port/db`, for people.
  var shown: String { settings.url.shown }
  /// The configuration admits nothing that would need quoting.
  var schema: String { settings.schema }
  var journal: String { "\"\(schema)\".journal" }
  private var migrations: String { "\"\(schema)\".journal_migrations" }

  /// - Parameter password: instead of that of the settings.
  func connect(
    password: Secret? = nil, timeout: Duration = timeout, mustStop: @escaping () -> Bool
  ) throws(ShippingFailure) -> PostgresConnection {
    try PostgresConnection(
      url: settings.url.secret, password: password ?? settings.password,
      connectTimeout: settings.connectTimeout,
      timeout: timeout, mustStop: mustStop)
  }

  /// Makes the tables and views, or brings them up to date. Needs no rights to do so when there is nothing to do.
  /// - Returns: why what is not needed could not be made: the views, mostly for want of rights.
  func migrate(_ connection: PostgresConnection) throws(ShippingFailure) -> ShippingFailure? {
    let found = try version(connection)
    guard found < Migrations.latest else { return nil }
    for number in found + 1...Migrations.latest {
      do throws(ShippingFailure) {
        try make(number, connection)
      } catch {
        guard case .refused = error, number > Migrations.needed else { throw error }
        return error
      }
    }
    return nil
  }

  private func make(_ number: Int, _ connection: PostgresConnection) throws(ShippingFailure) {
    try connection.transaction { () throws(ShippingFailure) in
      // Gateways that start together wait for each other. The number is arbitrary: "gatehous" in ASCII.
      _ = try connection.execute("SELECT pg_advisory_xact_lock(7449354444534473075)")
      let found = try connection.execute("SELECT to_regclass($1) IS NOT NULL", [Array(migrations.utf8)])
      let done = found.first?.first == Array("t".utf8) ? try version(connection) : 0
      guard done < number else { return }
      try connection.run(script: Migrations.script(number, schema: schema))
    }
  }

  /// The last migration that was made; 0 when there are no tables.
  func version(_ connection: PostgresConnection) throws(ShippingFailure) -> Int {
    do throws(ShippingFailure) {
      let rows = try connection.execute("SELECT coalesce(max(version), 0) FROM \(migrations)")
      return Self.integer(rows.first?.first ?? nil) ?? 0
    } catch {
      // No such table, or no such schema.
      if error.isRefusal("42P01", "3F000") { return 0 }
      throw error
    }
  }

  static func integer(_ value: [UInt8]?) -> Int? {
    value.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
  }
}
