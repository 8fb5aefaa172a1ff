internal import Primitives

/// A member that a record of a request may have behind its time: how it begins, and what its value is.
struct ScannedMember: BitwiseCopyable {
  enum Form: UInt8 {
    case text, integer, decimal
    /// An object of texts.
    case tags
    /// An array of texts.
    case texts
    /// `violations` and `warnings`.
    case findings
    case changes
  }

  let form: Form
  /// What `RecordFacts` keeps of a text.
  let subject: RecordFacts.Subject?
  let isIntent: Bool
  /// Of the comma, the key, the colon and, when the value is a text, its opening quote: from 8 to 24 bytes.
  let length: Int
  /// Eight bytes from the beginning, from the ninth on (of more than 16), and to the end; together they cover all of it.
  let first: UInt64
  let middle: UInt64
  let last: UInt64

  private init(_ key: String, _ form: Form, _ subject: RecordFacts.Subject? = nil) {
    let bytes = Array(",\"\(key)\":\(form == .text ? "\"" : "")".utf8)
    self.form = form
    self.subject = subject
    isIntent = key == "intent"
    length = bytes.count
    first = Self.word(bytes, at: 0)
    middle = bytes.count > 16 ? Self.word(bytes, at: 8) : 0
    last = Self.word(bytes, at: bytes.count - 8)
  }

  private static func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    var word: UInt64 = 0
    for (place, byte) in bytes[offset..<offset + 8].enumerated() { word |= UInt64(byte) << UInt64(8 * place) }
    return word
  }

  /// In the order in which `RecordWriter` writes them.
  static var inOrderOfWriting: ScratchArray<ScannedMember> {
    var members = ScratchArray<ScannedMember>(capacity: 40)
    for member in [
      ScannedMember("intent", .integer), .init("tenant", .text, .tenant),
      .init("accessKeyId", .text, .accessKeyId), .init("actor", .text, .actor), .init("sourceIp", .text),
      .init("userAgent", .text), .init("operation", .text, .operation), .init("method", .text),
      .init("path", .text), .init("appInstanceArn", .text),
      .init("appInstanceUserId", .text, .appInstanceUserId),
      .init("resourceArn", .text), .init("name", .text, .name), .init("metadata", .text),
      .init("metadataBytes", .integer), .init("tags", .tags), .init("tagsNotRecorded", .integer),
      .init("tagKeys", .texts), .init("expirationDays", .integer), .init("decision", .text, .decision),
      .init("violations", .findings), .init("warnings", .findings), .init("changes", .changes),
      .init("policyRevision", .text), .init("repeatOf", .text), .init("status", .integer),
      .init("errorType", .text), .init("reason", .text), .init("upstreamStatus", .integer),
      .init("upstreamRequestId", .text), .init("appInstanceUserArn", .text, .appInstanceUserArn),
      .init("outcome", .text, .outcome), .init("attempts", .integer), .init("durationMs", .decimal),
      .init("truncated", .texts),
    ] { members.append(member) }
    return members
  }
}
