package import Primitives

/// What a record of a request says, as far as it is looked at without reading it as JSON: texts are places in the line,
/// or in `unescaped` when they had escapes there. Kept and filled again, it allocates nothing.
package struct RecordFacts: ~Copyable {
  /// A text of the record, unescaped.
  package struct Place: BitwiseCopyable, Sendable {
    fileprivate let slice: ByteSlice
    fileprivate let isUnescaped: Bool
  }

  package struct Pair: BitwiseCopyable, Sendable {
    package let key: Place
    package let value: Place
  }

  package internal(set) var sequence = 0
  package internal(set) var kind = RecordKind.intent
  package internal(set) var time = WallClockTime(nanoseconds: 0)
  /// The number of the intent; `nil` when the record does not name one.
  package internal(set) var intent: Int?
  package internal(set) var requestId: Place?
  package internal(set) var tenant: Place?
  package internal(set) var accessKeyId: Place?
  package internal(set) var actor: Place?
  package internal(set) var operation: Place?
  package internal(set) var appInstanceUserId: Place?
  package internal(set) var appInstanceUserArn: Place?
  package internal(set) var name: Place?
  package internal(set) var decision: Place?
  package internal(set) var outcome: Place?
  /// Those whose value is shown.
  package internal(set) var tags = ScratchArray<Pair>()
  /// The changed fields, such as `Tags.Owner`, and what they were changed to, when that is shown.
  package internal(set) var changes = ScratchArray<Pair>()
  /// The keys of tags whose value is hidden.
  var hiddenTags = ScratchArray<Place>()
  private var unescaped = ByteBuffer()

  package init() {}

  /// The bytes of a text of the line that this was filled from.
  @_lifetime(borrow self, copy line)
  package func bytes(_ place: Place, of line: Span<UInt8>) -> Span<UInt8> {
    guard place.isUnescaped else { return line[place.slice] }
    return unescaped.span[place.slice]
  }

  mutating func begin(_ sequence: Int, _ kind: RecordKind) {
    self.sequence = sequence
    self.kind = kind
    intent = nil
    requestId = nil
    tenant = nil
    accessKeyId = nil
    actor = nil
    operation = nil
    appInstanceUserId = nil
    appInstanceUserArn = nil
    name = nil
    decision = nil
    outcome = nil
    tags.removeAll()
    hiddenTags.removeAll()
    changes.removeAll()
    unescaped.removeAll()
  }

  /// Whether a tag with that key was read already.
  func hasTag(_ key: Span<UInt8>, of line: Span<UInt8>) -> Bool {
    for index in tags.indices where bytes(tags[index].key, of: line).holds(key) { return true }
    for index in hiddenTags.indices where bytes(hiddenTags[index], of: line).holds(key) { return true }
    return false
  }

  /// A text of the line as it stands between its quotes.
  mutating func place(_ slice: ByteSlice, isEscaped: Bool, in line: Span<UInt8>) -> Place {
    isEscaped ? unescape(slice, of: line) : Place(slice: slice, isUnescaped: false)
  }

  private mutating func unescape(_ slice: ByteSlice, of line: Span<UInt8>) -> Place {
    let start = unescaped.count
    let escaped = line[slice]
    var index = 0
    while index < escaped.count {
      guard escaped[index] == UInt8(ascii: "\\") else {
        unescaped.append(escaped[index])
        index += 1
        continue
      }
      let escape = escaped[index + 1]
      index += 2
      switch escape {
      case UInt8(ascii: "n"): unescaped.append(0x0A)
      case UInt8(ascii: "r"): unescaped.append(0x0D)
      case UInt8(ascii: "t"): unescaped.append(0x09)
      case UInt8(ascii: "u"):
        // Below 0x80: `LineCursor` lets no other through.
        let (high, low) = (Hex.value(of: escaped[index + 2]), Hex.value(of: escaped[index + 3]))
        unescaped.append((high ?? 0) << 4 | (low ?? 0))
        index += 4
      default: unescaped.append(escape)
      }
    }
    return Place(slice: ByteSlice(start..<unescaped.count), isUnescaped: true)
  }
}

extension RecordFacts {
  /// What the general reader says of a record.
  package mutating func fill(from record: JournalRecord) {
    begin(record.sequence, record.kind)
    time = record.time
    intent = record.integer("intent")
    requestId = keep(record.requestId)
    tenant = keep(record.text("tenant"))
    accessKeyId = keep(record.text("accessKeyId"))
    actor = keep(record.text("actor"))
    operation = keep(record.text("operation"))
    appInstanceUserId = keep(record.text("appInstanceUserId"))
    appInstanceUserArn = keep(record.text("appInstanceUserArn"))
    name = keep(record.text("name"))
    decision = keep(record.text("decision"))
    outcome = keep(record.text("outcome"))
    for tag in record.tags { tags.append(Pair(key: keep(tag.key), value: keep(tag.value))) }
    for change in record.changes { changes.append(Pair(key: keep(change.field), value: keep(change.to))) }
  }

  private mutating func keep(_ text: Text?) -> Place? {
    guard let text else { return nil }
    return keep(text) as Place
  }

  private mutating func keep(_ text: Text) -> Place {
    let start = unescaped.count
    unescaped.append(text.utf8)
    return Place(slice: ByteSlice(start..<unescaped.count), isUnescaped: true)
  }
}
