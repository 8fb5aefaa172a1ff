internal import Primitives

/// How much of each member a record may hold.
///
/// What a request brings may be far more than a record holds (16 KiB with its place in the chain), so a record that
/// would be longer is written again under tighter bounds. One bound for all texts cuts the longest first; lists become
/// shorter once texts are short. What was cut stands in `truncated`, so that nobody takes a part for the whole.
struct RecordBounds: BitwiseCopyable {
  /// Bytes of a text.
  let text: Int
  /// Bytes of what tells which resource a request is about: it says more than all that the request says of it.
  let identity: Int
  /// Bytes of a tag's key, for the same reason.
  let key: Int
  /// Violations, warnings, would-be and made changes, each.
  let listed: Int
  /// What the service model allows; a refused request may have brought more.
  let tags: Int

  private init(text: Int, listed: Int, tags: Int) {
    self.text = text
    self.listed = listed
    self.tags = tags
    identity = text >= 64 ? max(text, 2048) : text * 2
    key = text >= 64 ? max(text, 128) : text
  }

  /// No text of a valid request is longer, but metadata in full (an ARN has 1600 bytes).
  static let usual = RecordBounds(text: 8192, listed: 64, tags: 50)

  /// The next ones; `nil` behind those under which every record is short enough.
  var tighter: RecordBounds? {
    if text > 64 { return RecordBounds(text: text / 2, listed: listed, tags: tags) }
    if listed > 8 { return RecordBounds(text: text, listed: listed / 2, tags: tags) }
    if tags > 12 { return RecordBounds(text: text, listed: listed, tags: tags / 2) }
    return text > 16 ? RecordBounds(text: text / 2, listed: listed, tags: tags) : nil
  }
}

/// Members of which a record does not hold all.
struct CutMembers: BitwiseCopyable {
  private var bits: UInt32 = 0

  var isEmpty: Bool { bits == 0 }

  mutating func insert(_ member: RecordMember) { bits |= 1 &<< UInt32(member.rawValue) }

  mutating func formUnion(_ other: CutMembers) { bits |= other.bits }

  func contains(_ member: RecordMember) -> Bool { bits & (1 &<< UInt32(member.rawValue)) != 0 }
}

extension RecordWriter {
  /// A record of at most `mostBytes`.
  /// - Parameter write: writes one record, from `begin` to `end`; called again when that is too long.
  package mutating func append(bounded write: (inout RecordWriter) -> Void) {
    let start = bytes.count
    write(&self)
    if isTooLong(from: start) { rewrite(from: start, write) }
  }

  /// Whether the record that begins there is.
  package func isTooLong(from start: Int) -> Bool { bytes.count &- start > Self.mostBytes }

  /// Writes it again until it is not. For who calls `write` the first time in its own place.
  @inline(never)
  package mutating func rewrite(from start: Int, _ write: (inout RecordWriter) -> Void) {
    while isTooLong(from: start), let tighter = bounds.tighter {
      bounds = tighter
      bytes.truncate(to: start)
      write(&self)
    }
    bounds = .usual
  }

  /// Forgets the records behind the first `count` bytes.
  package mutating func truncate(to count: Int) { bytes.truncate(to: count) }

  @inline(never)
  mutating func appendCutMembers() {
    bytes.append(",\"truncated\":")
    var separator: StaticString = "["
    for (member, name) in RecordMember.cuttable where cut.contains(member) {
      bytes.append(separator)
      separator = ","
      bytes.append(UInt8(ascii: "\""))
      bytes.append(name)
      bytes.append(UInt8(ascii: "\""))
    }
    bytes.append("]")
  }
}

extension RecordMember {
  /// Those that hold texts or lists, with the names that they have in the record.
  fileprivate static let cuttable: [(RecordMember, StaticString)] = [
    (.tenant, "tenant"), (.accessKeyId, "accessKeyId"), (.actor, "actor"), (.sourceIp, "sourceIp"),
    (.userAgent, "userAgent"), (.operation, "operation"), (.method, "method"), (.path, "path"),
    (.appInstanceArn, "appInstanceArn"), (.appInstanceUserId, "appInstanceUserId"),
    (.appInstanceUserArn, "appInstanceUserArn"), (.resourceArn, "resourceArn"), (.name, "name"),
    (.metadata, "metadata"), (.tags, "tags"), (.tagKeys, "tagKeys"), (.violations, "violations"),
    (.warnings, "warnings"), (.wouldChange, "wouldChange"),
    (.exceptions, "exceptions"), (.changes, "changes"),
    (.policyRevision, "policyRevision"),
    (.errorType, "errorType"), (.reason, "reason"), (.upstreamRequestId, "upstreamRequestId"),
  ]
}
