internal import OpenSSLCrypto
package import Primitives

/// Writes the records of requests, one behind the other, without their places in the chain: everything after
/// `"recordVersion":1,` up to and with the closing brace. The journal's writer puts the place in front.
///
///     record.begin(intent: id, at: time)
///     record.tenant(tenant)
///     …
///     record.decision(.allowed)
///     record.end()
///
/// Members are given in the order of `RecordMember`, each at most once; a debug build traps otherwise. What is `nil` is
/// left out. All rules about what a record may hold stand here: what is cut, escaped, hashed or left out. The bytes of
/// values are copied, so they may lie anywhere.
package struct RecordWriter: ~Copyable, Sendable {
  /// All records so far.
  package internal(set) var bytes: ByteBuffer
  let sensitivity: Sensitivity

  var last = RecordMember.kind
  /// The first member that was written since `begin`, for members that are written ahead.
  var first: RecordMember?
  /// What must follow the elements of the list that is open.
  var closing: StaticString?
  var hasUserArn = false
  /// How many tags were given, and where the keys of those that are recorded stand.
  var tagsGiven = 0
  var tagKeys = ScratchArray<ByteSlice>()
  /// How many elements the list that is open was given.
  var listed = 0
  /// What a record may hold; less when all of it would be too long.
  var bounds = RecordBounds.usual
  var cut = CutMembers()

  private var stamp = TimeStamp()

  /// Callers choose it freely and it stands in every record.
  package static let longestUserAgent = 1024
  /// What whoever has not proved who it is chooses freely.
  package static let longestOfStranger = 256
  /// No line of the journal is longer than 16 KiB, its place in the chain included.
  package static let mostBytes = 16 << 10 - 192

  /// - Parameter sensitivity: what is shown of the values that the service model marks sensitive.
  package init(under sensitivity: Sensitivity, capacity: Int = 4096) {
    bytes = ByteBuffer(capacity: capacity)
    self.sensitivity = sensitivity
  }

  /// Forgets all records and keeps the memory.
  package mutating func removeAll() { bytes.removeAll() }

  /// Gives all records away, and goes on behind what `other` holds.
  package mutating func exchangeBytes(with other: inout ByteBuffer) { swap(&bytes, &other) }
}

// The frame.
extension RecordWriter {
  /// The record that must be on disk before a request is forwarded.
  /// - Parameter time: when the request was received.
  package mutating func begin(intent id: RequestID, at time: WallClockTime) {
    begin()
    bytes.append("\"record\":\"intent\",\"requestId\":\"")
    begin(id, time)
  }

  /// The only record of a request that has no intent.
  /// - Parameter time: when the request was received.
  package mutating func begin(outcome id: RequestID, at time: WallClockTime) {
    begin()
    bytes.append("\"record\":\"outcome\",\"requestId\":\"")
    begin(id, time)
  }

  /// The outcome of a request that has an intent.
  /// - Parameters:
  ///   - intent: the sequence number of its intent.
  ///   - time: when the request ended.
  package mutating func begin(outcome id: RequestID, of intent: Int, at time: WallClockTime) {
    begin(outcome: id, at: time)
    begin(.intent)
    bytes.append(",\"intent\":")
    bytes.append(decimal: intent)
  }

  package mutating func end() {
    closeList()
    if !cut.isEmpty { appendCutMembers() }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func begin() {
    last = .kind
    closing = nil
    hasUserArn = false
    tagsGiven = 0
    listed = 0
    tagKeys.removeAll()
    cut = CutMembers()
  }

  private mutating func begin(_ id: RequestID, _ time: WallClockTime) {
    bytes.append(id)
    bytes.append("\",\"time\":\"")
    stamp.append(time, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  @inline(__always)
  mutating func begin(_ member: RecordMember) {
    if closing != nil { closeList() }
    assert(member > last, "members of a record stand in their order, each once")
    if first == nil { first = member }
    last = member
  }

  /// A whole record that was made elsewhere.
  package mutating func append(record: Span<UInt8>) { bytes.append(record) }

  /// Members that were written ahead.
  package mutating func append(_ members: borrowing RecordMembers) {
    begin(members.first)
    last = members.last
    if members.first...members.last ~= .appInstanceUserArn { hasUserArn = true }
    cut.formUnion(members.cut)
    bytes.append(members.bytes)
  }

  consuming func finishMembers() -> ([UInt8], first: RecordMember, last: RecordMember) {
    closeList()
    precondition(first != nil, "members that are written ahead are at least one")
    return (bytes.array, first ?? last, last)
  }
}

// Values and lists.
extension RecordWriter {
  @inline(__always)
  mutating func text(_ member: RecordMember, _ key: StaticString, _ value: Span<UInt8>?) {
    text(member, key, value, cutAfter: bounds.text)
  }

  @inline(__always)
  mutating func text(
    _ member: RecordMember, _ key: StaticString, _ value: Span<UInt8>?, cutAfter limit: Int
  ) {
    guard let value else { return }
    begin(member)
    bytes.append(key)
    append(value, of: member, cutAfter: limit)
  }

  /// A text of the result.
  @inline(__always)
  mutating func text(inResult member: RecordMember, _ key: StaticString, _ value: Span<UInt8>?) {
    guard let value else { return }
    bytes.append(key)
    append(value, of: member, cutAfter: bounds.text)
  }

  mutating func number(_ member: RecordMember, _ key: StaticString, _ value: Int?) {
    guard let value else { return }
    begin(member)
    number(key, value)
  }

  @inline(__always)
  mutating func number(_ key: StaticString, _ value: Int?) {
    guard let value else { return }
    bytes.append(key)
    bytes.append(decimal: value)
  }

  @inline(__always)
  mutating func append(_ value: Span<UInt8>, of member: RecordMember, cutAfter limit: Int) {
    guard value.count > limit else { return bytes.append(jsonString: value) }
    append(value, of: member, cut: limit)
  }

  @inline(never)
  private mutating func append(_ value: Span<UInt8>, of member: RecordMember, cut limit: Int) {
    cut.insert(member)
    bytes.append(jsonString: Self.cut(value, after: limit))
  }

  /// Not in the middle of a character.
  @_lifetime(copy value)
  package static func cut(_ value: Span<UInt8>, after limit: Int) -> Span<UInt8> {
    guard value.count > limit else { return value }
    var end = limit
    while end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
    return value.extracting(0..<end)
  }

  /// A value as `treatment` shows it; `null` when it hides it.
  mutating func append(_ value: Span<UInt8>, of member: RecordMember, _ treatment: Sensitivity.Treatment) {
    switch treatment {
    case .plain: append(value, of: member, cutAfter: bounds.text)
    case .hashed(let key):
      bytes.append(UInt8(ascii: "\""))
      Sensitivity.Treatment.append(markOf: value, under: key, to: &bytes)
      bytes.append(UInt8(ascii: "\""))
    case .omitted: bytes.append("null")
    }
  }

  mutating func openList(_ member: RecordMember, _ opening: StaticString, closing: StaticString) {
    begin(member)
    bytes.append(opening)
    self.closing = closing
    listed = 0
  }

  /// - Returns: whether there is room for one more.
  mutating func element(of member: RecordMember, _ opening: StaticString, most: Int) -> Bool {
    let isFirst = last != member
    if isFirst { openList(member, opening, closing: "]") }
    guard listed < most else {
      cut.insert(member)
      return false
    }
    listed += 1
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    return true
  }

  mutating func closeList() {
    guard let closing else { return }
    bytes.append(closing)
    self.closing = nil
    if last == .tags, tagsGiven > tagKeys.count {
      bytes.append(",\"tagsNotRecorded\":")
      bytes.append(decimal: tagsGiven - tagKeys.count)
    }
  }
}

/// Writes times as `append(rfc3339:)` does. Most come many to a second, so what is the same for all of one is kept.
private struct TimeStamp: ~Copyable {
  private var second = Int64.min
  /// Up to and with the point.
  private var text = ByteBuffer(capacity: 32)

  mutating func append(_ time: WallClockTime, to out: inout ByteBuffer) {
    if time.seconds != second {
      second = time.seconds
      text.removeAll()
      text.append(rfc3339: WallClockTime(seconds: second))
      text.truncate(to: text.count - 4)
    }
    out.append(text.span)
    out.append(decimal: Int(time.nanoseconds &- second &* 1_000_000_000) / 1_000_000, width: 3)
    out.append(UInt8(ascii: "Z"))
  }
}
