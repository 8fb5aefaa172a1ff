internal import AuditTrail
internal import Primitives

/// The requests of one gateway that a filter describes, in the order of its journal or backwards, read some at a time
/// within the transaction that is open.
///
/// SQL says which requests may be meant; all their records are then read and put together as those of the journal are,
/// so that the answers are the same (docs/decisions/0098).
final class GatewayRequests {
  /// A record and the request that it is of, as its row has it.
  private struct Candidate {
    let sequence: Int
    let request: Text
  }

  private let gateway: Text
  private let filter: QueryFilter
  private let table: String
  private let newestFirst: Bool
  private let connection: PostgresConnection
  private let cursor: String
  /// Requests that are read at once.
  private let count: Int

  /// What the cursor has given and is not yet taken, the next one last.
  private var fetched: [Candidate] = []
  private var isCursorAtEnd = false
  /// As `fetched`: the records of requests of which some record has no columns, which SQL cannot judge.
  private var unjudged: [Candidate] = []
  /// The records without columns, by request.
  private var withoutColumns: [Text: [Int]] = [:]
  /// The last candidate that was taken.
  private var passed: Int?
  /// The next one last.
  private var ready: [RequestHistory] = []
  /// How many lines without columns are no records.
  private(set) var unreadable = 0

  /// Rows that one question for rows without columns asks for.
  private static let rowsAtOnce = 256

  /// - Parameter number: another one for each that is open at a time.
  init(
    of gateway: Text, matching filter: QueryFilter, in table: String, newestFirst: Bool, number: Int,
    count: Int, _ connection: PostgresConnection
  ) throws(ShippingFailure) {
    self.gateway = gateway
    self.filter = filter
    self.table = table
    self.newestFirst = newestFirst
    self.count = count
    self.connection = connection
    cursor = "requests_\(number)"
    try readUnjudged()
    let selection = QuerySelection(filter, gateway: gateway, table: table, newestFirst: newestFirst)
    _ = try connection.execute(
      "DECLARE \(cursor) NO SCROLL CURSOR FOR \(selection.statement)", selection.parameters)
  }

  /// The next request; it stays the next until `take`. `nil` at the end.
  func peek() throws(ShippingFailure) -> RequestHistory? {
    while ready.isEmpty, try readMore() {}
    return ready.last
  }

  func take() { ready.removeLast() }

  /// - Returns: `false` at the end.
  private func readMore() throws(ShippingFailure) -> Bool {
    var wanted: Set<Int> = []
    var requests: Set<Text> = []
    while requests.count < count, let candidate = try nextCandidate() {
      wanted.insert(candidate.sequence)
      requests.insert(candidate.request)
    }
    guard !requests.isEmpty else { return false }
    let records = try records(of: requests)
    var survey = JournalSurvey()
    for record in records { survey.take(record) }
    var joiner = RequestJoiner(after: survey)
    var found: [RequestHistory] = []
    // A request is given at the place of its first record, whichever of its records were found.
    let give = { [filter] (request: RequestHistory) in
      if wanted.contains(request.first.sequence), filter.matches(request) { found.append(request) }
    }
    for record in records { joiner.take(record, give) }
    joiner.finish(give)
    ready = newestFirst ? found : found.reversed()
    return true
  }

  private func nextCandidate() throws(ShippingFailure) -> Candidate? {
    while true {
      if fetched.isEmpty, !isCursorAtEnd { try fetch() }
      let first: Candidate
      switch (fetched.last, unjudged.last) {
      case (nil, nil): return nil
      case (let candidate?, nil):
        first = candidate
        fetched.removeLast()
      case (let candidate?, let other?) where isBefore(candidate, other):
        first = candidate
        fetched.removeLast()
      case (_, let other?):
        first = other
        unjudged.removeLast()
      }
      // Found by both.
      if first.sequence == passed { continue }
      passed = first.sequence
      return first
    }
  }

  private func isBefore(_ left: Candidate, _ right: Candidate) -> Bool {
    newestFirst ? left.sequence > right.sequence : left.sequence < right.sequence
  }

  private func fetch() throws(ShippingFailure) {
    let rows = try connection.execute("FETCH FORWARD \(2 * count) FROM \(cursor)")
    isCursorAtEnd = rows.count < 2 * count
    fetched = Self.candidates(rows).reversed()
  }

  private static func candidates(_ rows: [[[UInt8]?]]) -> [Candidate] {
    rows.compactMap { row in
      guard let sequence = PostgresTables.integer(row[0]), let request = row[1] else { return nil }
      return Candidate(sequence: sequence, request: Text(uncheckedUTF8: request))
    }
  }

  /// All records of these requests, in the order of the journal.
  private func records(of requests: Set<Text>) throws(ShippingFailure) -> [JournalRecord] {
    let others = requests.flatMap { withoutColumns[$0] ?? [] }
    let rows = try connection.execute(
      """
      SELECT sequence, encode(line, 'hex') FROM \(table) WHERE gateway_id = $1 AND request_id = ANY ($2::text[])
      UNION ALL
      SELECT sequence, encode(line, 'hex') FROM \(table) WHERE gateway_id = $1 AND sequence = ANY ($3::bigint[])
      ORDER BY 1
      """,
      [
        gateway.utf8, arrayLiteral(requests.map(\.utf8)),
        arrayLiteral(others.map { Array("\($0)".utf8) }),
      ])
    return rows.compactMap { row in row[1].flatMap { Hex.decode($0) }.flatMap { JournalRecord(line: $0) } }
  }

  private func readUnjudged() throws(ShippingFailure) {
    var last = 0
    while true {
      let rows = try connection.execute(
        """
        SELECT sequence, encode(line, 'hex') FROM \(table)
        WHERE gateway_id = $1 AND kind IS NULL AND sequence > $2::bigint ORDER BY sequence LIMIT \(Self.rowsAtOnce)
        """, [gateway.utf8, Array("\(last)".utf8)])
      for row in rows { takeWithoutColumns(row[1].flatMap { Hex.decode($0) } ?? []) }
      guard rows.count == Self.rowsAtOnce, let end = rows.last.flatMap({ PostgresTables.integer($0[0]) })
      else { break }
      last = end
    }
    let requests = Array(withoutColumns.keys)
    for start in stride(from: 0, to: requests.count, by: Self.rowsAtOnce) {
      let some = requests[start..<min(start + Self.rowsAtOnce, requests.count)]
      unjudged += Self.candidates(
        try connection.execute(
          "SELECT sequence, request_id FROM \(table) WHERE gateway_id = $1 AND request_id = ANY ($2::text[])",
          [gateway.utf8, arrayLiteral(some.map(\.utf8))]))
    }
    unjudged.sort { isBefore($1, $0) }
  }

  private func takeWithoutColumns(_ line: [UInt8]) {
    guard let record = JournalRecord(line: line) else {
      unreadable += 1
      return
    }
    guard let id = record.requestId else { return }
    // As the column of the request's other records has it.
    let request = Text(uncheckedUTF8: ShippedRow.cut(id))
    withoutColumns[request, default: []].append(record.sequence)
    unjudged.append(Candidate(sequence: record.sequence, request: request))
  }
}
