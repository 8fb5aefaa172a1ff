internal import AuditStore
internal import AuditTrail
internal import Primitives

/// A record as it stands in the table: its line, and what is taken from it into columns.
struct ShippedRow {
  static let columns = [
    "kind", "request_id", "time", "tenant", "operation", "decision", "outcome", "app_instance_arn", "user_id",
    "user_arn", "actor", "access_key_id", "record",
  ]

  /// How much of a record goes into columns besides its line.
  enum Detail: CaseIterable {
    case all, withoutJSON, lineOnly
  }

  let sequence: Int
  let line: [UInt8]
  /// As `columns` are.
  let values: [[UInt8]?]

  init(_ source: JournalCursor.Line, _ detail: Detail) {
    sequence = source.sequence
    line = source.bytes
    guard detail != .lineOnly, let record = JournalRecord(line: source.bytes) else {
      values = Self.columns.map { _ in nil }
      return
    }
    let arn = record.text("appInstanceUserArn")
    let userId = record.text("appInstanceUserId") ?? arn?.userId
    let texts: [Text?] = [
      Text(record.kind.rawValue), record.requestId, Text(record.time.rfc3339),
      record.text("tenant"), record.text("operation"), record.text("decision"), record.text("outcome"),
      record.text("appInstanceArn"), userId, arn, record.text("actor"), record.text("accessKeyId"),
    ]
    var values: [[UInt8]?] = texts.map { text in text.map { Self.cut($0) } }
    values.append(detail == .all && !Self.hasNull(line) ? line : nil)
    self.values = values
  }

  /// What a column has of a value: indices do not take long ones, and text in PostgreSQL has no U+0000.
  static func cut(_ value: Text) -> [UInt8] {
    var characters = String.UnicodeScalarView()
    for character in value.string.unicodeScalars.prefix(512) {
      characters.append(character == "\0" ? "\u{FFFD}" : character)
    }
    return Array(String(characters).utf8)
  }

  /// Whether the line has `\u0000`, which jsonb does not take. That it may be an escaped backslash before `u0000` does
  /// not matter: the line is there all the same.
  private static func hasNull(_ line: [UInt8]) -> Bool {
    String(decoding: line, as: UTF8.self).contains("\\u0000")
  }
}

/// The text form of a PostgreSQL array.
func arrayLiteral(_ values: some Sequence<[UInt8]?>) -> [UInt8] {
  var out = [UInt8(ascii: "{")]
  for value in values {
    if out.count > 1 { out.append(UInt8(ascii: ",")) }
    guard let value else {
      out += Array("NULL".utf8)
      continue
    }
    out.append(UInt8(ascii: "\""))
    for byte in value {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }
  out.append(UInt8(ascii: "}"))
  return out
}
