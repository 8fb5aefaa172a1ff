internal import Primitives

/// Requests as RFC 4180 has tables: CRLF ends a row, and what holds a comma, a quote or a line break stands in quotes.
///
/// Spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, and callers
/// choose names and tags: such a cell gets an apostrophe in front (OWASP, "CSV injection").
extension RequestHistory {
  package static var csvHeader: [UInt8] { csvRow(csvMembers.map { Array($0.utf8)[...] }) }

  /// Text without its quotes; lists and objects as their JSON; nothing for what is not known.
  package var csv: [UInt8] {
    Self.csvRow(
      Self.csvMembers.map { member in
        if member == "outcome" { return outcome.utf8[...] }
        if member == "time" { return first.text(member)?.utf8[...] ?? [] }
        if let text = text(member) { return text.utf8[...] }
        return second?.source(member) ?? first.source(member) ?? []
      })
  }

  private static func csvRow(_ cells: [ArraySlice<UInt8>]) -> [UInt8] {
    var row: [UInt8] = []
    for (index, cell) in cells.enumerated() {
      if index > 0 { row.append(UInt8(ascii: ",")) }
      append(cell, to: &row)
    }
    row.append(contentsOf: [0x0D, 0x0A])
    return row
  }

  private static func append(_ cell: ArraySlice<UInt8>, to row: inout [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let isQuoted = cell.contains { $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0D || $0 == 0x0A }
    if isQuoted { row.append(quote) }
    if let start = cell.first, "=+-@\t\r".utf8.contains(start) { row.append(UInt8(ascii: "'")) }
    for byte in cell {
      if byte == quote { row.append(quote) }
      row.append(byte)
    }
    if isQuoted { row.append(quote) }
  }

  private static let csvMembers: [Text] = [
    "time", "requestId", "tenant", "accessKeyId", "actor", "sourceIp", "userAgent", "operation",
    "appInstanceArn", "appInstanceUserId", "name", "tags", "expirationDays", "decision", "violations",
    "warnings", "changes", "policyRevision", "status", "upstreamStatus", "upstreamRequestId",
    "appInstanceUserArn", "outcome", "durationMs", "errorType", "reason",
  ]
}
