package import AuditStore

/// Why records could not be brought to the database or be read there. None of it holds a password or a record.
package enum ShippingFailure: Error, Sendable {
  /// libpq cannot make sense of the URL.
  case badURL
  case cannotConnect(String)
  /// The connection is gone, or did not answer in time.
  case disconnected
  case timedOut
  /// The database refused a statement.
  case refused(sqlState: String, message: String)
  /// It has records of this name that are not this journal's.
  case foreignRecords(gatewayId: String)
  case noGatewayId
  /// There are no tables in this schema.
  case noTables(schema: String)
  /// They were made by a later version of this program.
  case newerTables(schema: String, version: Int)
  /// No gateway of this name has records there; `known` has.
  case unknownGateway(String, known: [String])
  case journal(FileFault)
  case noThread(code: Int32)

  package var message: String {
    switch self {
    case .badURL:
      "libpq cannot read `audit.postgres.url`; expected postgresql://user@host:port/db?option=value"
    case .cannotConnect(let reason): "cannot connect: \(reason)"
    case .disconnected: "the connection was lost"
    case .timedOut: "the database did not answer in time"
    case .refused(let state, let message): "the database refused: \(message) (SQLSTATE \(state))"
    case .foreignRecords(let id):
      "the database has records under the gateway id \(id) that are not this journal's; set `audit.postgres.gatewayId`"
        + " to a name that no other journal has had"
    case .noGatewayId: "no gateway has written this journal; set `audit.postgres.gatewayId`"
    case .noTables(let schema):
      "there is no table `\(schema).journal`; a gateway with this `audit.postgres` makes it, or make it with"
        + " the files of deploy/postgres"
    case .newerTables(let schema, let version):
      "the tables in the schema `\(schema)` are of version \(version), and this program knows \(Migrations.latest)"
        + " at most; use the version of Gatehouse that made them, or a later one"
    case .unknownGateway(let id, let known):
      "no gateway `\(id)` has records there; "
        + (known.isEmpty ? "none has any yet" : "those that have: \(known.joined(separator: ", "))")
    case .journal(let fault): "\(fault.name): \(fault.operation.rawValue) failed with errno \(fault.code)"
    case .noThread(let code): "no thread can be made (errno \(code))"
    }
  }

  /// Whether it is about the values of a record: class 22, data exception; 23, integrity constraint violation, which an
  /// operator's own constraints give; and 54, program limit exceeded.
  var isAboutData: Bool {
    guard case .refused(let state, _) = self else { return false }
    return ["22", "23", "54"].contains { state.hasPrefix($0) }
  }

  func isRefusal(_ states: String...) -> Bool {
    guard case .refused(let state, _) = self else { return false }
    return states.contains(state)
  }
}
