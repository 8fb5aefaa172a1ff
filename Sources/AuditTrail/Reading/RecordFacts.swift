package import Primitives

/// What a record of a request says, as far as it is looked at without reading it as JSON: texts are places in the line,
/// or in memory of its own when they had escapes there. Kept and filled again, it allocates nothing.
package struct RecordFacts: ~Copyable {
  /// Members whose text is kept.
  package enum Subject: Int, BitwiseCopyable, Sendable, CaseIterable {
    case requestId, tenant, accessKeyId, actor, operation, appInstanceUserId, appInstanceUserArn, name,
      decision
    case outcome
  }

  /// A text of the record, unescaped.
  package struct Place: BitwiseCopyable, Sendable {
    fileprivate let start: UInt32
    /// The highest bit: whether it stands in `unescaped`.
    fileprivate let length: UInt32

    fileprivate init(_ range: Range<Int>, isUnescaped: Bool) {
      start = UInt32(truncatingIfNeeded: range.lowerBound)
      // A line has at most 16 MiB.
      length = UInt32(truncatingIfNeeded: range.upperBound &- range.lowerBound) | (isUnescaped ? 1 << 31 : 0)
    }

    fileprivate init() { (start, length) = (0, 0) }
  }

  package struct Pair: BitwiseCopyable, Sendable {
    package let key: Place
    package let value: Place
  }

  /// All that is kept. In memory of its own, because a large struct is copied wherever it is passed.
  private struct Fields: ~Copyable {
    var sequence = 0
    var kind = RecordKind.intent
    var time = WallClockTime(nanoseconds: 0)
    var intent: Int?
    var places = InlineArray<10, Place>(repeating: Place())
    /// A bit for each subject that the record has.
    var present: UInt32 = 0
    var tags = ScratchArray<Pair>()
    var changes = ScratchArray<Pair>()
    var hiddenTags = ScratchArray<Place>()
    var rules = ScratchArray<Place>()
    var unescaped = ByteBuffer()
  }

  // This value's alone: it does not leave it, and goes with it.
  private let fields: UnsafeMutablePointer<Fields>

  package init() {
    fields = .allocate(capacity: 1)
    fields.initialize(to: Fields())
  }

  deinit {
    fields.deinitialize(count: 1)
    fields.deallocate()
  }

  package var sequence: Int { fields.pointee.sequence }
  package var kind: RecordKind { fields.pointee.kind }
  package var time: WallClockTime { fields.pointee.time }
  /// The number of the intent; `nil` when the record does not name one.
  package var intent: Int? { fields.pointee.intent }
  /// How many tags have a value that is shown.
  package var tagCount: Int { fields.pointee.tags.count }
  /// One of these.
  package func tag(_ index: Int) -> Pair { fields.pointee.tags[index] }
  /// How many changes there are whose new value is shown.
  package var changeCount: Int { fields.pointee.changes.count }
  /// One of these: the field, such as `Tags.Owner`, and what it was changed to.
  package func change(_ index: Int) -> Pair { fields.pointee.changes[index] }

  /// How many violations and warnings there are.
  package var ruleCount: Int { fields.pointee.rules.count }
  /// The rule of one of these.
  package func rule(_ index: Int) -> Place { fields.pointee.rules[index] }

  /// Where the text of a member stands; `nil` when the record does not have it.
  @inline(__always)
  package subscript(subject: Subject) -> Place? {
    fields.pointee.present & (1 &<< UInt32(truncatingIfNeeded: subject.rawValue)) == 0
      ? nil : fields.pointee.places[subject.rawValue]
  }

  /// The bytes of a text of the line that this was filled from.
  @inline(__always) @_lifetime(borrow self, copy line)
  package func bytes(_ place: Place, of line: Span<UInt8>) -> Span<UInt8> {
    let start = Int(place.start)
    guard place.length >= 1 << 31 else { return line.extracting(start..<start &+ Int(place.length)) }
    let unescaped = fields.pointee.unescaped.span.extracting(
      start..<start &+ Int(place.length & (1 << 31 - 1)))
    return _overrideLifetime(unescaped, borrowing: self)
  }

  mutating func set(intent: Int) { fields.pointee.intent = intent }

  mutating func begin(_ sequence: Int, _ kind: RecordKind, at time: WallClockTime) {
    fields.pointee.sequence = sequence
    fields.pointee.kind = kind
    fields.pointee.time = time
    fields.pointee.intent = nil
    fields.pointee.present = 0
    fields.pointee.tags.removeAll()
    fields.pointee.hiddenTags.removeAll()
    fields.pointee.rules.removeAll()
    fields.pointee.changes.removeAll()
    fields.pointee.unescaped.removeAll()
  }

  @inline(__always)
  mutating func set(_ subject: Subject, _ range: Range<Int>, isEscaped: Bool, in line: Span<UInt8>) {
    fields.pointee.present |= 1 &<< UInt32(subject.rawValue)
    fields.pointee.places[subject.rawValue] = place(range, isEscaped: isEscaped, in: line)
  }

  /// - Parameter value: `nil` when it is hidden.
  mutating func addTag(_ key: Place, _ value: Place?) {
    if let value {
      fields.pointee.tags.append(Pair(key: key, value: value))
    } else {
      fields.pointee.hiddenTags.append(key)
    }
  }

  mutating func addChange(_ field: Place, to value: Place) {
    fields.pointee.changes.append(Pair(key: field, value: value))
  }

  mutating func addRule(_ rule: Place) { fields.pointee.rules.append(rule) }

  /// Whether a tag with that key was read already.
  func hasTag(_ key: Span<UInt8>, of line: Span<UInt8>) -> Bool {
    for index in 0..<tagCount where bytes(tag(index).key, of: line).holds(key) { return true }
    for index in fields.pointee.hiddenTags.indices
    where bytes(fields.pointee.hiddenTags[index], of: line).holds(key) { return true }
    return false
  }

  /// A text of the line as it stands between its quotes.
  @inline(__always)
  mutating func place(_ range: Range<Int>, isEscaped: Bool, in line: Span<UInt8>) -> Place {
    isEscaped ? unescape(range, of: line) : Place(range, isUnescaped: false)
  }

  @inline(never)
  private mutating func unescape(_ range: Range<Int>, of line: Span<UInt8>) -> Place {
    let start = fields.pointee.unescaped.count
    let escaped = line.extracting(range)
    var index = 0
    while index < escaped.count {
      guard escaped[index] == UInt8(ascii: "\\") else {
        fields.pointee.unescaped.append(escaped[index])
        index += 1
        continue
      }
      let escape = escaped[index + 1]
      index += 2
      switch escape {
      case UInt8(ascii: "n"): fields.pointee.unescaped.append(0x0A)
      case UInt8(ascii: "r"): fields.pointee.unescaped.append(0x0D)
      case UInt8(ascii: "t"): fields.pointee.unescaped.append(0x09)
      case UInt8(ascii: "u"):
        // Below 0x80: `LineCursor` lets no other through.
        let (high, low) = (Hex.value(of: escaped[index + 2]), Hex.value(of: escaped[index + 3]))
        fields.pointee.unescaped.append((high ?? 0) << 4 | (low ?? 0))
        index += 4
      default: fields.pointee.unescaped.append(escape)
      }
    }
    return Place(start..<fields.pointee.unescaped.count, isUnescaped: true)
  }
}

extension RecordFacts {
  /// What the general reader says of a record.
  package mutating func fill(from record: JournalRecord) {
    begin(record.sequence, record.kind, at: record.time)
    fields.pointee.intent = record.integer("intent")
    for subject in Subject.allCases { keep(record.text(subject.key), as: subject) }
    for tag in record.tags { addTag(keep(tag.key), keep(tag.value)) }
    for rule in record.rules("violations") + record.rules("warnings") { addRule(keep(rule)) }
    for change in record.changes { addChange(keep(change.field), to: keep(change.to)) }
  }

  private mutating func keep(_ text: Text?, as subject: Subject) {
    guard let text else { return }
    fields.pointee.present |= 1 << UInt32(subject.rawValue)
    fields.pointee.places[subject.rawValue] = keep(text)
  }

  private mutating func keep(_ text: Text) -> Place {
    let start = fields.pointee.unescaped.count
    fields.pointee.unescaped.append(text.utf8)
    return Place(start..<fields.pointee.unescaped.count, isUnescaped: true)
  }
}

extension RecordFacts.Subject {
  /// Of the member.
  package var key: Text {
    switch self {
    case .requestId: "requestId"
    case .tenant: "tenant"
    case .accessKeyId: "accessKeyId"
    case .actor: "actor"
    case .operation: "operation"
    case .appInstanceUserId: "appInstanceUserId"
    case .appInstanceUserArn: "appInstanceUserArn"
    case .name: "name"
    case .decision: "decision"
    case .outcome: "outcome"
    }
  }
}
