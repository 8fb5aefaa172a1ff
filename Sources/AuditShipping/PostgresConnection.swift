internal import CLibpq
internal import Glibc
internal import OpenSSLCrypto

/// A connection to a PostgreSQL server, for one thread. It never blocks in libpq, but for the look-up of host
/// names (docs/decisions/0099).
final class PostgresConnection {
  private let handle: OpaquePointer
  private let timeout: Duration
  /// Asked while it waits for an answer: whether to give up.
  private let mustStop: () -> Bool

  /// Milliseconds between two questions whether to give up.
  private static let slice: Int32 = 100

  /// - Parameters:
  ///   - connectTimeout: for each host that the URL names.
  ///   - timeout: how long a statement may take.
  /// - Throws: `badURL` or `cannotConnect`.
  init(
    url: Secret, password: Secret?, connectTimeout: Duration, timeout: Duration,
    mustStop: @escaping () -> Bool
  ) throws(ShippingFailure) {
    self.timeout = timeout
    self.mustStop = mustStop
    let target = try PostgresTarget(url: url, password: password)
    handle = try target.connect { handle throws(ShippingFailure) in
      try Self.finishConnecting(handle, by: .now + connectTimeout, mustStop)
    }
  }

  /// - Returns: `false` when it was refused; libpq has the reason.
  private static func finishConnecting(
    _ handle: OpaquePointer, by end: ContinuousClock.Instant, _ mustStop: () -> Bool
  ) throws(ShippingFailure) -> Bool {
    // As libpq wants it: the first time, as if it had asked to write.
    var wish = PGRES_POLLING_WRITING
    while true {
      switch wish {
      case PGRES_POLLING_OK: return true
      case PGRES_POLLING_FAILED: return false
      default: break
      }
      guard PQstatus(handle) != CONNECTION_BAD else { return false }
      let events = wish == PGRES_POLLING_WRITING ? POLLOUT : POLLIN
      if !wait(for: Int16(events), on: handle) {
        guard ContinuousClock.now < end, !mustStop() else { throw .timedOut }
        continue
      }
      wish = PQconnectPoll(handle)
    }
  }

  /// - Returns: whether it is time to go on, not just to ask whether to give up.
  private static func wait(for events: Int16, on handle: OpaquePointer) -> Bool {
    var wanted = pollfd(fd: PQsocket(handle), events: events, revents: 0)
    return poll(&wanted, 1, slice) > 0
  }

  deinit { PQfinish(handle) }

  /// Runs one statement with `$1`, `$2` … and returns its rows.
  func execute(_ statement: String, _ parameters: [[UInt8]?] = []) throws(ShippingFailure) -> [[[UInt8]?]] {
    // libpq takes strings that end with a zero; none of the values has one inside.
    let values = parameters.map { value -> UnsafeMutablePointer<CChar>? in
      guard let value else { return nil }
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: value.count + 1)
      for (index, byte) in value.enumerated() { copy[index] = CChar(bitPattern: byte) }
      copy[value.count] = 0
      return copy
    }
    defer { for value in values { value?.deallocate() } }
    let pointers = values.map { UnsafePointer($0) }
    guard PQsendQueryParams(handle, statement, Int32(values.count), nil, pointers, nil, nil, 0) == 1 else {
      throw .disconnected
    }
    return try rows()
  }

  /// Runs several statements without parameters; in a transaction of their own unless one is open.
  func run(script: String) throws(ShippingFailure) {
    guard PQsendQuery(handle, script) == 1 else { throw .disconnected }
    _ = try rows()
  }

  /// What `body` does happens as a whole or not at all.
  func transaction<Value>(_ body: () throws(ShippingFailure) -> Value) throws(ShippingFailure) -> Value {
    try run(script: "BEGIN")
    do throws(ShippingFailure) {
      let value = try body()
      try run(script: "COMMIT")
      return value
    } catch {
      if case .refused = error { try run(script: "ROLLBACK") }
      throw error
    }
  }

  /// Takes all results of what was sent.
  private func rows() throws(ShippingFailure) -> [[[UInt8]?]] {
    var rows: [[[UInt8]?]] = []
    var failure: ShippingFailure?
    while true {
      try awaitResult()
      guard let result = PQgetResult(handle) else { break }
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK: rows = Self.rows(of: result)
      case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
      default: failure = failure ?? Self.failure(of: result)
      }
    }
    if let failure { throw failure }
    return rows
  }

  /// Returns when `PQgetResult` would not wait.
  private func awaitResult() throws(ShippingFailure) {
    let end = ContinuousClock.now + timeout
    while true {
      guard PQconsumeInput(handle) == 1 else { throw .disconnected }
      let unsent = PQflush(handle)
      guard unsent >= 0 else { throw .disconnected }
      guard PQisBusy(handle) == 1 else { return }
      let events = Int16(POLLIN) | (unsent == 1 ? Int16(POLLOUT) : 0)
      if Self.wait(for: events, on: handle) { continue }
      guard ContinuousClock.now < end, !mustStop() else { throw .timedOut }
    }
  }

  private static func rows(of result: OpaquePointer) -> [[[UInt8]?]] {
    (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
          return nil
        }
        // libpq owns the value until the result is cleared; its length is what PQgetlength says.
        let length = Int(PQgetlength(result, row, column))
        return Array(UnsafeRawBufferPointer(start: value, count: length))
      }
    }
  }

  private static func failure(of result: OpaquePointer) -> ShippingFailure {
    guard let state = gh_pq_sqlstate(result).map({ String(cString: $0) }) else { return .disconnected }
    // The server is being shut down, or a process of it has died.
    if state.hasPrefix("57P") || state.hasPrefix("08") { return .disconnected }
    // What the server says of values may quote them.
    if state.hasPrefix("22") { return .refused(sqlState: state, message: "a value") }
    let message = gh_pq_message(result).map { String(cString: $0) } ?? "no reason given"
    return .refused(sqlState: state, message: message)
  }
}
