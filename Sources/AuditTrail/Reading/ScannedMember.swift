internal import Primitives

/// A member that a record of a request may have behind its time: how its key begins, and what its value is.
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

  /// What `RecordFacts` keeps of it.
  enum Subject: UInt8 {
    case none, intent, tenant, accessKeyId, actor, operation, userId, userArn, name, decision, outcome
  }

  let form: Form
  let subject: Subject
  /// Of `KEY":`, as it stands behind the opening quote.
  let length: Int
  /// The first eight bytes of that, as far as `mask` reaches.
  private let first: UInt64
  private let mask: UInt64
  /// Eight bytes from `middleOffset` on, and the last eight: with the first ones they cover the longest key.
  let middle: UInt64
  let middleOffset: Int
  let last: UInt64

  @inline(__always)
  func begins(_ word: UInt64) -> Bool { (word ^ first) & mask == 0 }

  private init(_ key: String, _ form: Form, _ subject: Subject = .none) {
    let bytes = Array("\(key)\":".utf8)
    self.form = form
    self.subject = subject
    length = bytes.count
    first = Self.word(bytes, at: 0)
    mask = bytes.count >= 8 ? .max : 1 << UInt64(8 * bytes.count) - 1
    middleOffset = min(8, max(0, bytes.count - 8))
    middle = Self.word(bytes, at: middleOffset)
    last = Self.word(bytes, at: max(0, bytes.count - 8))
  }

  private static func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    var word: UInt64 = 0
    for (place, byte) in bytes[offset...].prefix(8).enumerated() { word |= UInt64(byte) << UInt64(8 * place) }
    return word
  }

  /// In the order in which `RecordWriter` writes them.
  static var inOrderOfWriting: ScratchArray<ScannedMember> {
    var members = ScratchArray<ScannedMember>(capacity: 40)
    for member in [
      ScannedMember("intent", .integer, .intent), .init("tenant", .text, .tenant),
      .init("accessKeyId", .text, .accessKeyId), .init("actor", .text, .actor), .init("sourceIp", .text),
      .init("userAgent", .text), .init("operation", .text, .operation), .init("method", .text),
      .init("path", .text), .init("appInstanceArn", .text), .init("appInstanceUserId", .text, .userId),
      .init("resourceArn", .text), .init("name", .text, .name), .init("metadata", .text),
      .init("metadataBytes", .integer), .init("tags", .tags), .init("tagsNotRecorded", .integer),
      .init("tagKeys", .texts), .init("expirationDays", .integer), .init("decision", .text, .decision),
      .init("violations", .findings), .init("warnings", .findings), .init("changes", .changes),
      .init("policyRevision", .text), .init("repeatOf", .text), .init("status", .integer),
      .init("errorType", .text), .init("reason", .text), .init("upstreamStatus", .integer),
      .init("upstreamRequestId", .text), .init("appInstanceUserArn", .text, .userArn),
      .init("outcome", .text, .outcome), .init("attempts", .integer), .init("durationMs", .decimal),
    ] { members.append(member) }
    return members
  }
}
