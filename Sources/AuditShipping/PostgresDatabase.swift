internal import AuditStore
package import AuditTrail
package import Configuration
internal import OpenSSLCrypto
internal import Primitives

/// The database and this gateway's name in it.
package struct PostgresDatabase: Sendable {
  let tables: PostgresTables
  package let gatewayId: String

  /// - Parameter identity: which journal it is, which names its records when the settings do not.
  package init(_ settings: GatewayConfiguration.Postgres, identity: JournalIdentity?) throws(ShippingFailure)
  {
    guard let id = settings.gatewayId ?? identity?.text else { throw .noGatewayId }
    tables = PostgresTables(settings)
    gatewayId = id
  }

  /// Where exactly this gateway's records go, without anything secret.
  var destination: String { "\(gatewayId) \(tables.shown) \(tables.schema)" }

  /// The last record that is there, with its line.
  func last(_ connection: PostgresConnection) throws(ShippingFailure) -> (sequence: Int, line: [UInt8])? {
    let rows = try connection.execute(
      "SELECT sequence, encode(line, 'hex') FROM \(tables.journal) WHERE gateway_id = $1 ORDER BY sequence DESC LIMIT 1",
      [Array(gatewayId.utf8)])
    guard let row = rows.first, row.count == 2, let sequence = PostgresTables.integer(row[0]), sequence > 0,
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
      for line in lines { try insertWithLessDetail(line, connection) }
    }
  }

  private func insertWithLessDetail(
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
      INSERT INTO \(tables.journal) (gateway_id, sequence, line, \(names))
      SELECT $1, r.sequence, decode(r.line, 'hex'), \(values)
      FROM unnest($2::bigint[], $3::text[], \(arrays)) AS r (sequence, line, \(names))
      ON CONFLICT (gateway_id, sequence) DO NOTHING
      """, parameters)
  }

  private static func hex(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(2 * bytes.count)
    out.append(hex: bytes)
    return out
  }
}
