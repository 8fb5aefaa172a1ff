internal import Primitives

/// Reads records of requests in one pass, as far as they have the form in which our own writer writes them, and
/// allocates nothing.
///
/// What it takes is what `JournalRecord` takes, and it says the same of it; that is tested on records of all kinds with
/// every byte changed. What it does not take may still be a record: one of no request, or one that somebody else wrote.
package struct RecordScanner: ~Copyable {
  private let members: ScratchArray<ScannedMember>
  /// The member that came after each one the last time, and at the end of the list after the time, for each kind: most
  /// records have the same members as one of those just before.
  private var followers: ScratchArray<UInt8>
  private var clock = ScannedClock()

  package init() {
    members = ScannedMember.inOrderOfWriting
    followers = ScratchArray(capacity: members.count + 3)
    for _ in 0..<members.count + 3 { followers.append(0) }
  }

  /// - Parameter line: without its line feed.
  /// - Returns: whether it is a record in the usual form; `facts` are that record's then.
  package mutating func scan(_ line: Span<UInt8>, into facts: inout RecordFacts) -> Bool {
    var cursor = LineCursor(line.bytes)
    return begin(&cursor, line, &facts) && readMembers(&cursor, line, &facts)
  }

  /// What any reader can read: by the general reader when the line is not in the usual form.
  /// - Returns: whether it is a record; `facts` are that record's then.
  package mutating func read(_ line: Span<UInt8>, into facts: inout RecordFacts) -> Bool {
    if scan(line, into: &facts) { return true }
    guard let record = JournalRecord(line: line.array) else { return false }
    facts.fill(from: record)
    return true
  }

  /// Sequence number, link, version, kind, request id and time, which stand in this order.
  @inline(__always)
  private mutating func begin(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
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
    guard let id = cursor.string(&isEscaped), cursor.skip(",\"time\":\""), let time = clock.read(cursor)
    else { return false }
    cursor.advance(by: ScannedClock.length)
    facts.begin(sequence, kind, at: time)
    facts.set(.requestId, id, isEscaped: isEscaped, in: line)
    return true
  }

  @inline(__always)
  private mutating func readMembers(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
    var seen: UInt64 = 0
    var last = members.count &+ facts.kind.scanned
    // Behind the last member there is one byte.
    while !cursor.isAtLastByte {
      var index = Int(followers[last])
      var member = members[index]
      if !cursor.isAt(member) {
        guard let found = self.member(at: cursor, after: last) else { return false }
        index = found
        member = members[index]
        followers[last] = UInt8(truncatingIfNeeded: index)
      }
      last = index
      // A member stands once, whatever the order.
      guard seen & (1 &<< UInt64(index)) == 0 else { return false }
      seen |= 1 &<< UInt64(index)
      cursor.advance(by: member.length)
      guard Self.readValue(of: member, &cursor, line, &facts) else { return false }
    }
    return cursor.skip("}")
  }

  /// The place in `members` of the one at hand.
  @inline(never)
  private mutating func member(at cursor: borrowing LineCursor, after last: Int) -> Int? {
    // The next ones first: members stand in their order, and some are left out.
    var index = last < members.count ? last &+ 1 : 0
    for _ in members.indices {
      if index >= members.count { index = 0 }
      if cursor.isAt(members[index]) { return index }
      index &+= 1
    }
    return nil
  }

  @inline(__always)
  private static func readValue(
    of member: ScannedMember, _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
    switch member.form {
    case .text:
      var isEscaped = false
      guard let slice = cursor.string(&isEscaped) else { return false }
      if let subject = member.subject { facts.set(subject, slice, isEscaped: isEscaped, in: line) }
      return true
    case .integer:
      guard let value = cursor.integer() else { return false }
      if member.isIntent { facts.set(intent: value) }
      return true
    case .decimal: return cursor.decimal()
    case .tags, .texts, .findings, .changes:
      guard let end = readList(member.form, line, from: cursor.position, &facts) else { return false }
      cursor.advance(to: end)
      return true
    }
  }

  /// - Returns: where it ends; `nil` when it is not in the usual form.
  @inline(never)
  private static func readList(
    _ form: ScannedMember.Form, _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    let isUsual =
      switch form {
      case .tags: readTags(&cursor, line, &facts)
      case .texts: readTexts(&cursor)
      case .findings: readFindings(&cursor)
      case .changes: readChanges(&cursor, line, &facts)
      case .text, .integer, .decimal: false
      }
    return isUsual ? cursor.position : nil
  }

  /// `{"KEY":"VALUE",…}`; a value that is hidden is `null`.
  @inline(__always)
  private static func readTags(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
    guard cursor.skip("{") else { return false }
    var keys: UInt64 = 0
    repeat {
      var isEscaped = false
      guard cursor.skip("\""), let slice = cursor.string(&isEscaped) else { return false }
      // Whether a key stands twice, the general reader knows; most tags differ in this already.
      let ending = slice.isEmpty ? 0 : Int(cursor.byte(at: slice.upperBound &- 1))
      let mark = 1 &<< UInt64((slice.count &* 7 &+ ending) & 63)
      guard !isEscaped, keys & mark == 0 || !facts.hasTag(line[slice], of: line) else { return false }
      keys |= mark
      let key = facts.place(slice, isEscaped: false, in: line)
      if cursor.skip(":\"") {
        guard let slice = cursor.string(&isEscaped) else { return false }
        facts.addTag(key, facts.place(slice, isEscaped: isEscaped, in: line))
      } else {
        guard cursor.skip(":null") else { return false }
        facts.addTag(key, nil)
      }
    } while cursor.skip(",")
    return cursor.skip("}")
  }

  @inline(never)
  private static func readTexts(_ cursor: inout LineCursor) -> Bool {
    guard cursor.skip("[") else { return false }
    repeat {
      var isEscaped = false
      guard cursor.skip("\""), cursor.string(&isEscaped) != nil else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }

  @inline(never)
  private static func readFindings(_ cursor: inout LineCursor) -> Bool {
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

  @inline(never)
  private static func readChanges(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
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
        facts.addChange(key, to: facts.place(slice, isEscaped: isEscaped, in: line))
      }
      guard cursor.skip("}") else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }
}

extension RecordKind {
  /// Of those that are scanned, each has a number.
  @inline(__always)
  fileprivate var scanned: Int {
    switch self {
    case .intent: 0
    case .outcome: 1
    case .reconciled, .expired, .dropped, .suppressed, .other: 2
    }
  }
}
