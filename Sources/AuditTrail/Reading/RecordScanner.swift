internal import Primitives

/// Reads records of requests in one pass, as far as they have the form and the order in which our own writer writes
/// them, and allocates nothing.
///
/// What it takes is what `JournalRecord` takes, and it says the same of it; that is tested on records of all kinds with
/// every byte changed. What it does not take may still be a record: one of no request, or one that somebody else wrote.
package struct RecordScanner: ~Copyable {
  private var clock = ScannedClock()

  package init() {}

  /// - Parameter line: without its line feed.
  /// - Returns: whether it is a record in the usual form; `facts` are that record's then.
  package mutating func scan(_ line: Span<UInt8>, into facts: inout RecordFacts) -> Bool {
    var cursor = LineCursor(line.bytes)
    return begin(&cursor, line, &facts) && Self.readMembers(&cursor, line, &facts)
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

  /// In the order of writing, each of them or not: what is there is found by one comparison, and stands once.
  @inline(__always)
  private static func readMembers(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
    guard readIntent(&cursor, &facts) else { return false }
    var place = cursor.position
    // Most outcomes have nothing of the request, and intents have no result.
    if !cursor.isAt(",\"status\":") {
      guard let caller = readCaller(line, from: place, &facts),
        let subject = readSubject(line, from: caller, &facts),
        let decision = readDecision(line, from: subject, &facts)
      else { return false }
      place = decision
    }
    if place != line.count &- 1 {
      guard let result = readResult(line, from: place, &facts) else { return false }
      place = result
    }
    cursor.advance(to: place)
    return cursor.isAtLastByte && cursor.skip("}")
  }

  @inline(__always)
  private static func readIntent(_ cursor: inout LineCursor, _ facts: inout RecordFacts) -> Bool {
    guard cursor.skip(",\"intent\":") else { return true }
    guard let intent = cursor.integer() else { return false }
    facts.set(intent: intent)
    return true
  }

  /// Who asks for what.
  @inline(never)
  private static func readCaller(
    _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    let isUsual =
      text(",\"tenant\":\"", .tenant, &cursor, line, &facts)
      && text(",\"accessKeyId\":\"", .accessKeyId, &cursor, line, &facts)
      && text(",\"actor\":\"", .actor, &cursor, line, &facts)
      && text(",\"sourceIp\":\"", &cursor)
      && text(",\"userAgent\":\"", &cursor)
      && text(",\"operation\":\"", .operation, &cursor, line, &facts)
      && text(",\"method\":\"", &cursor)
      && text(",\"path\":\"", &cursor)
    return isUsual ? cursor.position : nil
  }

  /// What it is about.
  @inline(never)
  private static func readSubject(
    _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    let isUsual =
      text(",\"appInstanceArn\":\"", &cursor)
      && text(",\"appInstanceUserId\":\"", .appInstanceUserId, &cursor, line, &facts)
      && text(",\"appInstanceUserArn\":\"", .appInstanceUserArn, &cursor, line, &facts)
      && text(",\"resourceArn\":\"", &cursor)
      && text(",\"name\":\"", .name, &cursor, line, &facts)
      && text(",\"metadata\":\"", &cursor)
      && integer(",\"metadataBytes\":", &cursor)
      && list(",\"tags\":", .tags, &cursor, line, &facts)
      && integer(",\"tagsNotRecorded\":", &cursor)
      && list(",\"tagKeys\":", .texts, &cursor, line, &facts)
      && integer(",\"expirationDays\":", &cursor)
    return isUsual ? cursor.position : nil
  }

  @inline(never)
  private static func readDecision(
    _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    let isUsual =
      text(",\"decision\":\"", .decision, &cursor, line, &facts)
      && list(",\"violations\":", .findings, &cursor, line, &facts)
      && list(",\"warnings\":", .findings, &cursor, line, &facts)
      && list(",\"wouldChange\":", .findings, &cursor, line, &facts)
      && list(",\"exceptions\":", .texts, &cursor, line, &facts)
      && list(",\"changes\":", .changes, &cursor, line, &facts)
      && text(",\"policyRevision\":\"", &cursor)
      && text(",\"repeatOf\":\"", &cursor)
    return isUsual ? cursor.position : nil
  }

  @inline(never)
  private static func readResult(
    _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    guard integer(",\"status\":", &cursor), text(",\"errorType\":\"", &cursor),
      text(",\"reason\":\"", &cursor), integer(",\"upstreamStatus\":", &cursor),
      text(",\"upstreamRequestId\":\"", &cursor)
    else { return nil }
    // Once in a record: here, where the request did not name it.
    if facts[.appInstanceUserArn] == nil {
      guard text(",\"appInstanceUserArn\":\"", .appInstanceUserArn, &cursor, line, &facts) else {
        return nil
      }
    }
    let isUsual =
      text(",\"outcome\":\"", .outcome, &cursor, line, &facts)
      && integer(",\"attempts\":", &cursor)
      && (!cursor.skip(",\"durationMs\":") || cursor.decimal())
      && list(",\"truncated\":", .texts, &cursor, line, &facts)
    return isUsual ? cursor.position : nil
  }

  /// A member that is a text, of which nothing is kept.
  /// - Returns: `false` when it is there and not in the usual form; so do the others.
  @inline(__always)
  private static func text(_ member: StaticString, _ cursor: inout LineCursor) -> Bool {
    guard cursor.skip(member) else { return true }
    var isEscaped = false
    return cursor.string(&isEscaped) != nil
  }

  @inline(__always)
  private static func text(
    _ member: StaticString, _ subject: RecordFacts.Subject, _ cursor: inout LineCursor, _ line: Span<UInt8>,
    _ facts: inout RecordFacts
  ) -> Bool {
    guard cursor.skip(member) else { return true }
    var isEscaped = false
    guard let range = cursor.string(&isEscaped) else { return false }
    facts.set(subject, range, isEscaped: isEscaped, in: line)
    return true
  }

  @inline(__always)
  private static func integer(_ member: StaticString, _ cursor: inout LineCursor) -> Bool {
    !cursor.skip(member) || cursor.integer() != nil
  }

  @inline(__always)
  private static func list(
    _ member: StaticString, _ form: ListForm, _ cursor: inout LineCursor, _ line: Span<UInt8>,
    _ facts: inout RecordFacts
  ) -> Bool {
    guard cursor.skip(member) else { return true }
    guard let end = readList(form, line, from: cursor.position, &facts) else { return false }
    cursor.advance(to: end)
    return true
  }

  private enum ListForm {
    /// An object of texts.
    case tags
    /// An array of texts.
    case texts
    /// `violations`, `warnings` and `wouldChange`.
    case findings
    case changes
  }

  /// - Returns: where it ends; `nil` when it is not in the usual form.
  @inline(never)
  private static func readList(
    _ form: ListForm, _ line: Span<UInt8>, from start: Int, _ facts: inout RecordFacts
  ) -> Int? {
    var cursor = LineCursor(line.bytes, at: start)
    let isUsual =
      switch form {
      case .tags: readTags(&cursor, line, &facts)
      case .texts: readTexts(&cursor)
      case .findings: readFindings(&cursor, line, &facts)
      case .changes: readChanges(&cursor, line, &facts)
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
      guard cursor.skip("\""), let range = cursor.string(&isEscaped) else { return false }
      // Whether a key stands twice, the general reader knows; most tags differ in this already.
      let ending = range.isEmpty ? 0 : Int(cursor.byte(at: range.upperBound &- 1))
      let mark = 1 &<< UInt64((range.count &* 7 &+ ending) & 63)
      guard !isEscaped, keys & mark == 0 || !facts.hasTag(line.extracting(range), of: line) else {
        return false
      }
      keys |= mark
      let key = facts.place(range, isEscaped: false, in: line)
      if cursor.skip(":\"") {
        guard let range = cursor.string(&isEscaped) else { return false }
        facts.addTag(key, facts.place(range, isEscaped: isEscaped, in: line))
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
  private static func readFindings(
    _ cursor: inout LineCursor, _ line: Span<UInt8>, _ facts: inout RecordFacts
  ) -> Bool {
    guard cursor.skip("[") else { return false }
    repeat {
      var isEscaped = false
      guard cursor.skip("{\"policy\":\""), cursor.string(&isEscaped) != nil, cursor.skip(",\"rule\":\"")
      else { return false }
      isEscaped = false
      guard let rule = cursor.string(&isEscaped) else { return false }
      facts.addRule(facts.place(rule, isEscaped: isEscaped, in: line))
      guard cursor.skip(",\"field\":\""), cursor.string(&isEscaped) != nil,
        cursor.skip(",\"message\":\""), cursor.string(&isEscaped) != nil,
        text(",\"severity\":\"", &cursor), text(",\"owner\":\"", &cursor), text(",\"help\":\"", &cursor),
        text(",\"exception\":\"", &cursor),
        cursor.skip("}")
      else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }

  @inline(__always)
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
        guard cursor.skip("\""), let range = cursor.string(&isEscaped) else { return false }
        facts.addChange(key, to: facts.place(range, isEscaped: isEscaped, in: line))
      }
      guard cursor.skip("}") else { return false }
    } while cursor.skip(",")
    return cursor.skip("]")
  }
}
