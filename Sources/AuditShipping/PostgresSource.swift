package import AuditTrail
package import Configuration
package import Primitives

/// The journals of all gateways that ship to a database, or of one of them, as the database had them when this was made.
package final class PostgresSource: RequestSource {
  /// Whose records there are.
  package let gateways: [Text]
  /// `host:port/db`, for people.
  package let shown: String
  private let tables: PostgresTables
  private let connection: PostgresConnection

  /// What the database may take for one statement, and how much longer to wait for it to say so.
  private static let statementSeconds = 60
  private static let timeout = Duration.seconds(statementSeconds + 5)
  /// Requests that are held in memory at a time, of all gateways together.
  private static let requestsAtOnce = 2048

  /// Connects, and begins a transaction that only reads.
  /// - Parameter gateway: of which gateway; `nil`: of all.
  package init(_ settings: GatewayConfiguration.Postgres, gateway: Text?) throws(ShippingFailure) {
    tables = PostgresTables(settings)
    shown = tables.shown
    connection = try tables.connect(timeout: Self.timeout) { false }
    switch try tables.version(connection) {
    case 0: throw .noTables(schema: tables.schema)
    case let version where version > Migrations.latest:
      throw .newerTables(schema: tables.schema, version: version)
    default: break
    }
    try connection.run(script: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try connection.run(script: "SET LOCAL statement_timeout = '\(Self.statementSeconds)s'")
    let known = try Self.gateways(in: tables.journal, connection)
    guard let gateway else {
      gateways = known
      return
    }
    guard known.contains(gateway) else {
      throw .unknownGateway(gateway.string, known: known.map(\.string))
    }
    gateways = [gateway]
  }

  /// Looks up one after the other in the table's own index, instead of reading all of it.
  private static func gateways(
    in table: String, _ connection: PostgresConnection
  ) throws(ShippingFailure) -> [Text] {
    let rows = try connection.execute(
      """
      WITH RECURSIVE known (id) AS (
        SELECT min(gateway_id) FROM \(table)
        UNION ALL
        SELECT (SELECT min(gateway_id) FROM \(table) WHERE gateway_id > known.id) FROM known
        WHERE known.id IS NOT NULL
      ) SELECT id FROM known WHERE id IS NOT NULL
      """)
    return rows.compactMap { row in row[0].map { Text(uncheckedUTF8: $0) } }
  }

  /// Each gateway's requests come in the order of its journal, those of several gateways by their times. To be called
  /// once: then the snapshot is given back.
  package func forEachRequest(
    matching filter: QueryFilter, limit: Int?, _ body: (RequestHistory) -> Void
  ) throws -> SearchFlaws {
    let newestFirst = limit != nil
    var journals: [GatewayRequests] = []
    for (number, gateway) in gateways.enumerated() {
      journals.append(
        try GatewayRequests(
          of: gateway, matching: filter, in: tables.journal, newestFirst: newestFirst, number: number,
          count: max(16, min(256, Self.requestsAtOnce / gateways.count)), connection))
    }
    if let limit {
      var latest: [RequestHistory] = []
      while latest.count < limit, let request = try next(of: journals, newestFirst) { latest.append(request) }
      for request in latest.reversed() { body(request) }
    } else {
      while let request = try next(of: journals, newestFirst) { body(request) }
    }
    // Nothing was written; but so the server ends the cursors as it should.
    try connection.run(script: "COMMIT")
    return SearchFlaws(unreadable: journals.reduce(0) { $0 + $1.unreadable })
  }

  private func next(
    of journals: [GatewayRequests], _ newestFirst: Bool
  ) throws(ShippingFailure) -> RequestHistory? {
    var first: (number: Int, request: RequestHistory)?
    for (number, journal) in journals.enumerated() {
      guard let request = try journal.peek() else { continue }
      // Of two at the same time, the later gateway's comes later.
      let isFirst = first.map {
        newestFirst ? request.time >= $0.request.time : request.time < $0.request.time
      }
      if isFirst ?? true { first = (number, request) }
    }
    guard let (number, found) = first else { return nil }
    journals[number].take()
    guard gateways.count > 1 else { return found }
    var request = found
    request.gatewayId = gateways[number]
    return request
  }
}
