package import Primitives

/// Writes comma-separated values (RFC 4180): lines end with CR LF, and a field is quoted where it must be.
///
/// Spreadsheets run a cell that begins like a formula. Callers choose names and tags, so such a field gets an
/// apostrophe in front, which spreadsheets take as "this is text" (OWASP, CSV Injection).
package struct CSVWriter: ~Copyable {
  package private(set) var bytes: [UInt8] = []
  private var isAtStart = true

  package init() {}

  package mutating func field(_ value: Text) { field(value.utf8[...]) }

  package mutating func field(_ value: ArraySlice<UInt8>) {
    if !isAtStart { bytes.append(UInt8(ascii: ",")) }
    isAtStart = false
    let isFormula = Self.isFormula(value)
    guard value.contains(where: { Self.special.contains($0) }) else {
      if isFormula { bytes.append(UInt8(ascii: "'")) }
      return bytes.append(contentsOf: value)
    }
    bytes.append(UInt8(ascii: "\""))
    if isFormula { bytes.append(UInt8(ascii: "'")) }
    for byte in value {
      if byte == UInt8(ascii: "\"") { bytes.append(byte) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  package mutating func endLine() {
    bytes.append("\r\n")
    isAtStart = true
  }

  /// Whether a spreadsheet may take it for one. Some drop white space and what cannot be seen at the beginning, and take
  /// full-width signs for the usual ones.
  private static func isFormula(_ value: ArraySlice<UInt8>) -> Bool {
    guard let first = value.first else { return false }
    switch first {
    case UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "z"): return false
    default: break
    }
    for scalar in String(decoding: value, as: UTF8.self).unicodeScalars
    where !scalar.properties.isWhitespace && scalar.isInert {
      return formulaStarts.contains(scalar)
    }
    return false
  }

  private static let formulaStarts: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
  ]
  /// The semicolon, because spreadsheets of some languages end cells with it.
  private static let special = Array("\",;\r\n".utf8)
}

extension RequestHistory {
  /// The names of the columns, as a line.
  /// - Parameter namesGateway: whether requests have a `gatewayId`, which is then the last column.
  package static func csvHeader(namesGateway: Bool = false) -> [UInt8] {
    var writer = CSVWriter()
    for member in csvMembers { writer.field(member) }
    writer.field("integrity")
    if namesGateway { writer.field("gatewayId") }
    writer.endLine()
    return writer.bytes
  }

  /// The request as a line: text as it is, numbers in digits, tags and lists as JSON, and nothing for what is not known.
  package var csvLine: [UInt8] {
    var writer = CSVWriter()
    for member in Self.csvMembers {
      switch member {
      case "time": writer.field(Text(time.rfc3339))
      case "outcome": writer.field(outcome)
      default:
        if let text = text(member) { writer.field(text) } else { writer.field(evaluatedSource(member) ?? []) }
      }
    }
    writer.field(doubt.map { Text($0.rawValue) } ?? "")
    if let gatewayId { writer.field(gatewayId) }
    writer.endLine()
    return TerminalSafety.safe(writer.bytes, as: .csv)
  }

  /// In the order of `audit query --format json`, and why a request failed.
  private static let csvMembers: [Text] = [
    "time", "requestId", "tenant", "accessKeyId", "actor", "sourceIp", "userAgent", "operation",
    "appInstanceArn", "appInstanceUserId", "name", "tags", "expirationDays", "decision", "violations",
    "warnings",
    "changes", "policyRevision", "status", "upstreamStatus", "upstreamRequestId", "appInstanceUserArn",
    "outcome",
    "durationMs", "errorType", "reason", "metadata", "tagKeys", "resourceArn", "method", "path", "attempts",
    "repeatOf",
  ]
}
