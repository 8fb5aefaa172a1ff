internal import CLibpq
internal import Glibc
internal import OpenSSLCrypto

/// A connection to a PostgreSQL server, for one thread.
final class PostgresConnection {
  private let handle: OpaquePointer
  /// Asked while it waits for an answer: whether to give up.
  private let mustStop: () -> Bool

  /// How long a statement may take, in units of `slice`: 30 s.
  private static let patience = 300
  /// Milliseconds between two questions whether to give up.
  private static let slice: Int32 = 100

  /// - Throws: `badURL` or `cannotConnect`.
  init(
    url: Secret, password: Secret?, connectTimeout: Duration, mustStop: @escaping () -> Bool
  ) throws(ShippingFailure) {
    self.mustStop = mustStop
    let url = Self.text(url)
    let written = try Self.password(in: url)
    let seconds = max(
      2, connectTimeout.components.seconds + (connectTimeout.components.attoseconds > 0 ? 1 : 0))
    // What comes after `dbname` wins over what the URL says.
    var options = [
      ("dbname", url), ("connect_timeout", "\(seconds)"), ("application_name", "gatehouse"),
      ("client_encoding", "UTF8"), ("tcp_user_timeout", "30000"),
    ]
    let password = password.map { Self.text($0) }
    if let password { options.append(("password", password)) }
    guard let handle = Self.connect(options) else { throw .cannotConnect("out of memory") }
    self.handle = handle
    // Otherwise libpq prints notices to standard error.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    guard PQstatus(handle) == CONNECTION_OK else {
      var reason = String(cString: PQerrorMessage(handle))
      for secret in [password, written].compactMap({ $0 }) where !secret.isEmpty {
        reason = reason.replacing(secret, with: "[secret]")
      }
      let line = reason.split(whereSeparator: \.isNewline).joined(separator: "; ")
      throw .cannotConnect(line.isEmpty ? "no reason given" : line)
    }
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
  func transaction<Value>(
    _ begin: String = "BEGIN", _ body: () throws(ShippingFailure) -> Value
  ) throws(ShippingFailure) -> Value {
    try run(script: begin)
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
    var slices = 0
    while true {
      guard PQconsumeInput(handle) == 1 else { throw .disconnected }
      let unsent = PQflush(handle)
      guard unsent >= 0 else { throw .disconnected }
      guard PQisBusy(handle) == 1 else { return }
      let events = Int16(POLLIN) | (unsent == 1 ? Int16(POLLOUT) : 0)
      var wanted = pollfd(fd: PQsocket(handle), events: events, revents: 0)
      guard poll(&wanted, 1, Self.slice) == 0 else { continue }
      slices += 1
      guard slices < Self.patience, !mustStop() else { throw .timedOut }
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

  private static func connect(_ options: [(String, String)]) -> OpaquePointer? {
    // libpq copies both lists, which end with a null pointer.
    let keywords = options.map { strdup($0.0) } + [nil]
    let values = options.map { strdup($0.1) } + [nil]
    defer {
      for text in keywords { free(text) }
      for case let text? in values {
        explicit_bzero(text, strlen(text))
        free(text)
      }
    }
    return PQconnectdbParams(keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
  }

  /// The password that stands in the URL.
  private static func password(in url: String) throws(ShippingFailure) -> String? {
    // An array of libpq's that ends with an option without keyword.
    guard let options = PQconninfoParse(url, nil) else { throw .badURL }
    defer { PQconninfoFree(options) }
    var option = options
    while let keyword = option.pointee.keyword {
      if String(cString: keyword) == "password" { return option.pointee.val.map { String(cString: $0) } }
      option += 1
    }
    return nil
  }

  private static func text(_ secret: Secret) -> String {
    secret.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}
