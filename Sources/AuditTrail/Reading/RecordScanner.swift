internal import Primitives

/// Reads records of requests in one pass, as far as they have the form in which our own writer writes them, and
/// allocates nothing.
///
/// What it takes is what `JournalRecord` takes, and it says the same of it; that is tested on records of all kinds with
/// every byte changed. What it does not take may still be a record: one of no request, or one that somebody else wrote.
package struct RecordScanner: ~Copyable {
  /// What the last line said that `scan` took.
  package private(set) var facts = RecordFacts()
  private let members: ScratchArray<ScannedMember>
  private var clock = ScannedClock()

  package init() { members = ScannedMember.inOrderOfWriting }

  /// - Parameter line: without its line feed.
  /// - Returns: whether it is a record in the usual form; `facts` are that record's then.
  package mutating func scan(_ line: Span<UInt8>) -> Bool {
    var cursor = LineCursor(line.bytes)
    return begin(&cursor, line) && readMembers(&cursor, line)
  }

  /// What any reader can read: by the general reader when the line is not in the usual form.
  /// - Returns: whether it is a record; `facts` are that record's then.
  package mutating func read(_ line: Span<UInt8>) -> Bool {
    if scan(line) { return true }
    guard let record = JournalRecord(line: line.array) else { return false }
    facts.fill(from: record)
    return true
  }

  /// Sequence number, link, version, kind, request id and time, which stand in this order.
  private mutating func begin(_ cursor: inout LineCursor, _ line: Span<UInt8>) -> Bool {
    var isEscaped = false
    guard cursor.skip("{\"sequence\":"), let sequence = cursor.integer(), cursor.skip(",\"previous\":\""),
      cursor.string(&isEscaped) != nil, cursor.skip(",\"recordVersion\":1,\"record\":\"")
    else { return false }
    let kind: RecordKind
    if cursor.skip("intent\",\"requestId\":\"") {
      kind = .intent
    } else if cursor.skip("outcome\",\"requestId\":\"") {
      kind = .outcome
    } else if cursor.skip("reconciled\",\"requestId\":\"") {
      kind = .reconciled
    } else {
      return false
    }
    isEscaped = false
    guard let id = cursor.string(&isEscaped), cursor.skip(",\"time\":\""), let time = clock.read(&cursor)
    else { return false }
    facts.begin(sequence, kind)
    facts.requestId = facts.place(id, isEscaped: isEscaped, in: line)
    facts.time = time
    return true
  }

  private mutating func readMembers(_ cursor: inout LineCursor, _ line: Span<UInt8>) -> Bool {
    var seen: UInt64 = 0
    var next = 0
    while cursor.skip(",\"") {
      guard let index = member(at: cursor, from: next) else { return false }
      next = index &+ 1
      // A member stands once, whatever the order.
      guard seen & (1 &<< UInt64(index)) == 0 else { return false }
      seen |= 1 &<< UInt64(index)
      let member = members[index]
      cursor.advance(by: member.length)
      guard read(member, &cursor, line) else { return false }
    }
    return cursor.skip("}") && cursor.isAtEnd
  }

  /// The place in `members` of the key at hand. Members are written in their order, so few are looked at.
  @inline(__always)
  private func member(at cursor: borrowing LineCursor, from start: Int) -> Int? {
    guard let word = cursor.peek() else { return nil }
    var index = start
    while index < members.count {
      if members[index].begins(word), isWhole(index, cursor) { return index }
      index &+= 1
    }
    index = 0
    while index < start {
      if members[index].begins(word), isWhole(index, cursor) { return index }
      index &+= 1
    }
    return nil
  }

  @inline(__always)
  private func isWhole(_ index: Int, _ cursor: borrowing LineCursor) -> Bool {
    let member = members[index]
    guard member.length > 8 else { return true }
    guard let middle = cursor.peek(at: member.middleOffset), let last = cursor.peek(at: member.length &- 8)
    else { return false }
    return middle == member.middle && last == member.last
  }

  @inline(__always)
  private mutating func read(
    _ member: ScannedMember, _ cursor: inout LineCursor, _ line: Span<UInt8>
  ) -> Bool {
    switch member.form {
    case .text:
      var isEscaped = false
      guard cursor.skip("\""), let slice = cursor.string(&isEscaped) else { return false }
      if member.subject != .none { keep(slice, isEscaped, as: member.subject, line) }
      return true
    case .integer:
      guard let value = cursor.integer() else { return false }
      if member.subject == .intent { facts.intent = value }
      return true
    case .decimal: return cursor.decimal()
    case .tags: return readTags(&cursor, line)
    case .texts: return readTexts(&cursor)
    case .findings: return readFindings(&cursor)
    case .changes: return readChanges(&cursor, line)
    }
  }

  @inline(__always)
  private mutating func keep(
    _ slice: ByteSlice, _ isEscaped: Bool, as subject: ScannedMember.Subject, _ line: Span<UInt8>
  ) {
    let place = facts.place(slice, isEscaped: isEscaped, in: line)
    switch subject {
    case .tenant: facts.tenant = place
    case .accessKeyId: facts.accessKeyId = place
    case .actor: facts.actor = place
    case .operation: facts.operation = place
    case .userId: facts.appInstanceUserId = place
    case .userArn: facts.appInstanceUserArn = place
    case .name: facts.name = place
    case .decision: facts.decision = place
    case .outcome: facts.outcome = place
    case .none, .intent: break
    }
  }

  /// `{"KEY":"VALUE",…}`; a value that is hidden is `null`.
  private mutating func readTags(_ cursor: inout LineCursor, _ line: Span<UInt8>) -> Bool {
    guard cursor.skip("{") else { return false }
    var keys: UInt64 = 0
    repeat {
      var isEscaped = false
      guard cursor.skip("\""), let slice = cursor.string(&isEscaped), cursor.skip(":") else { return false }
      // Whether a key stands twice, the general reader knows; most tags differ in this already.
      let mark =
        1 &<< UInt64((slice.count &* 7 &+ (slice.isEmpty ? 0 : Int(line[slice.upperBound &- 1]))) & 63)
      guard !isEscaped, keys & mark == 0 || !facts.hasTag(line[slice], of: line) else { return false }
      keys |= mark
      let key = facts.place(slice, isEscaped: false, in: line)
      if cursor.skip("null") {
        facts.hiddenTags.append(key)
      } else {
        guard cursor.skip("\""), let slice = cursor.string(&isEscaped) else { return false }
        let value = facts.place(slice, isEscaped: isEscaped, in: line)
        facts.tags.append(RecordFacts.Pair(key: key, value: value))
      }
    } while cursor.skip(",")
    return cursor.skip("}")
  }

  private func readTexts(_ cursor: inout LineCursor) -> Bool {
    guard cursor.skip("[") else { return false }
    repeat {
      var isEscaped = false
      guard cursor.skip("\""), cursor.string(&isEscaped) != nil else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }

  private func readFindings(_ cursor: inout LineCursor) -> Bool {
    guard cursor.skip("[") else { return false }
    repeat {
      var isEscaped = false
      guard cursor.skip("{\"policy\":\""), cursor.string(&isEscaped) != nil,
        cursor.skip(",\"rule\":\""), cursor.string(&isEscaped) != nil,
        cursor.skip(",\"field\":\""), cursor.string(&isEscaped) != nil,
        cursor.skip(",\"message\":\""), cursor.string(&isEscaped) != nil, cursor.skip("}")
      else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }

  private mutating func readChanges(_ cursor: inout LineCursor, _ line: Span<UInt8>) -> Bool {
    guard cursor.skip("[") else { return false }
    repeat {
      var isEscaped = false
      guard cursor.skip("{\"field\":\""), let field = cursor.string(&isEscaped) else { return false }
      let key = facts.place(field, isEscaped: isEscaped, in: line)
      if cursor.skip(",\"from\":"), !cursor.skip("null") {
        guard cursor.skip("\""), cursor.string(&isEscaped) != nil else { return false }
      }
      guard cursor.skip(",\"to\":") else { return false }
      if !cursor.skip("null") {
        isEscaped = false
        guard cursor.skip("\""), let slice = cursor.string(&isEscaped) else { return false }
        let value = facts.place(slice, isEscaped: isEscaped, in: line)
        facts.changes.append(RecordFacts.Pair(key: key, value: value))
      }
      guard cursor.skip("}") else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }
}
