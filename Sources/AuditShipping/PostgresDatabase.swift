internal import AuditStore
package import AuditTrail
package import Configuration
internal import OpenSSLCrypto
internal import Primitives

/// The database and this gateway's name in it.
package struct PostgresDatabase: Sendable {
  let settings: GatewayConfiguration.Postgres
  package let gatewayId: String

  /// - Parameter identity: which journal it is, which names its records when the settings do not.
  package init(_ settings: GatewayConfiguration.Postgres, identity: JournalIdentity?) throws(ShippingFailure)
  {
    guard let id = settings.gatewayId ?? identity?.text else { throw .noGatewayId }
    self.settings = settings
    gatewayId = id
  }

  /// `host:port/db`, for people.
  var shown: String { settings.url.shown }
  /// Where exactly this gateway's records go, without anything secret.
  var destination: String { "\(gatewayId) \(shown) \(settings.schema)" }
  var table: String { "\"\(settings.schema)\".journal" }
  private var migrationsTable: String { "\"\(settings.schema)\".journal_migrations" }

  func connect(mustStop: @escaping () -> Bool) throws(ShippingFailure) -> PostgresConnection {
    try PostgresConnection(
      url: settings.url.secret, password: settings.password, connectTimeout: settings.connectTimeout,
      mustStop: mustStop)
  }

  /// Makes the tables, or brings them up to date. Needs no rights to do so when there is nothing to do.
  func migrate(_ connection: PostgresConnection) throws(ShippingFailure) {
    guard try version(connection) < Migrations.latest else { return }
    try connection.transaction { () throws(ShippingFailure) in
      // Gateways that start together wait for each other. The number is arbitrary: "gatehous" in ASCII.
      _ = try connection.execute("SELECT pg_advisory_xact_lock(7449354444534473075)")
      let found = try connection.execute(
        "SELECT to_regclass($1) IS NOT NULL", [Array(migrationsTable.utf8)])
      let done = found.first?.first == Array("t".utf8) ? try version(connection) : 0
      guard done < Migrations.latest else { return }
      for number in done + 1...Migrations.latest {
        try connection.run(script: Migrations.script(number, schema: settings.schema))
      }
    }
  }

  private func version(_ connection: PostgresConnection) throws(ShippingFailure) -> Int {
    do throws(ShippingFailure) {
      let rows = try connection.execute("SELECT coalesce(max(version), 0) FROM \(migrationsTable)")
      return Self.integer(rows.first?.first ?? nil) ?? 0
    } catch {
      // No such table, or no such schema.
      if error.isRefusal("42P01", "3F000") { return 0 }
      throw error
    }
  }

  /// The last record that is there, with its line.
  func last(_ connection: PostgresConnection) throws(ShippingFailure) -> (sequence: Int, line: [UInt8])? {
    let rows = try connection.execute(
      "SELECT sequence, encode(line, 'hex') FROM \(table) WHERE gateway_id = $1 ORDER BY sequence DESC LIMIT 1",
      [Array(gatewayId.utf8)])
    guard let row = rows.first, let sequence = Self.integer(row[0]),
      let line = row[1].flatMap({ Hex.decode($0) })
    else { return nil }
    return (sequence, line)
  }

  /// Puts the records there that are not there yet.
  func insert(_ lines: [JournalCursor.Line], _ connection: PostgresConnection) throws(ShippingFailure) {
    do throws(ShippingFailure) {
      try insert(lines.map { ShippedRow($0, .all) }, connection)
    } catch {
      guard error.isAboutData else { throw error }
      // One of them cannot be stored as it should be; it must not hold up the others.
      for line in lines { try insertSomehow(line, connection) }
    }
  }

  private func insertSomehow(
    _ line: JournalCursor.Line, _ connection: PostgresConnection
  ) throws(ShippingFailure) {
    for detail in ShippedRow.Detail.allCases {
      do throws(ShippingFailure) {
        return try insert([ShippedRow(line, detail)], connection)
      } catch {
        guard error.isAboutData, detail != .lineOnly else { throw error }
      }
    }
  }

  private func insert(_ rows: [ShippedRow], _ connection: PostgresConnection) throws(ShippingFailure) {
    let columns = ShippedRow.columns
    var parameters: [[UInt8]?] = [
      Array(gatewayId.utf8), arrayLiteral(rows.map { Array("\($0.sequence)".utf8) }),
      arrayLiteral(rows.map { row in Self.hex(row.line) }),
    ]
    for index in columns.indices { parameters.append(arrayLiteral(rows.map { $0.values[index] })) }
    let types = columns.map { $0 == "time" ? "timestamptz" : $0 == "record" ? "jsonb" : "text" }
    let arrays = columns.indices.map { "$\($0 + 4)::text[]" }.joined(separator: ", ")
    let values = zip(columns, types).map { "r.\($0)::\($1)" }.joined(separator: ", ")
    let names = columns.joined(separator: ", ")
    _ = try connection.execute(
      """
      INSERT INTO \(table) (gateway_id, sequence, line, \(names))
      SELECT $1, r.sequence, decode(r.line, 'hex'), \(values)
      FROM unnest($2::bigint[], $3::text[], \(arrays)) AS r (sequence, line, \(names))
      ON CONFLICT (gateway_id, sequence) DO NOTHING
      """, parameters)
  }

  static func integer(_ value: [UInt8]?) -> Int? {
    value.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
  }

  private static func hex(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(2 * bytes.count)
    out.append(hex: bytes)
    return out
  }
}
