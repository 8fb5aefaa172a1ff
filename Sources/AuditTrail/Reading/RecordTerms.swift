package import Primitives

/// Something that a request can be found by, as 32 bits of a hash. Requests that are found are compared with what was
/// asked for, so that two things with the same bits cost time and nothing else; and an index of terms holds no names or
/// tags.
package struct RecordTerm: BitwiseCopyable, Hashable, Sendable {
  package let bits: UInt32

  package init(bits: UInt32) { self.bits = bits }
}

/// Hashes what requests can be found by, under the key of an index, so that nobody can choose names that have the same
/// bits.
package struct TermHasher: BitwiseCopyable, Sendable {
  package enum Subject: UInt64, Sendable {
    case tenant = 1, operation, decision, accessKey, actor, user, name, tag, rule, outcome
    /// No term: it tells whose outcome a record is.
    case request
  }

  private let key: UInt64

  package init(key: UInt64) { self.key = key }

  @inline(__always)
  package func term(_ subject: Subject, _ value: Span<UInt8>) -> RecordTerm {
    RecordTerm(bits: UInt32(truncatingIfNeeded: hash(subject, value) &>> 32))
  }

  @inline(__always)
  package func tag(_ name: Span<UInt8>, _ value: Span<UInt8>) -> RecordTerm {
    // Each part begins with its length, so that `ab` + `c` is not `a` + `bc`.
    let state = Self.mix(value, into: Self.mix(name, into: start(.tag)))
    return RecordTerm(bits: UInt32(truncatingIfNeeded: state &>> 32))
  }

  /// Whether requests are found by that outcome. Most are `created` or `succeeded`: to find these, no index is needed.
  @inline(__always)
  package static func indexes(outcome: Span<UInt8>) -> Bool {
    !(outcome.count == 7 && outcome.isAt("created", 0))
      && !(outcome.count == 9 && outcome.isAt("succeeded", 0))
  }

  /// A user is looked for by its id, whichever of the two is asked for.
  package func user(arn: Span<UInt8>) -> RecordTerm {
    term(.user, arn.extracting(arn.startOfUserId..<arn.count))
  }

  @inline(__always)
  package func hash(_ subject: Subject, _ value: Span<UInt8>) -> UInt64 {
    Self.mix(value, into: start(subject))
  }

  @inline(__always)
  private func start(_ subject: Subject) -> UInt64 {
    Self.fold(key ^ subject.rawValue, 0x9E37_79B9_7F4A_7C15)
  }

  /// Eight bytes at a time, in the manner of wyhash: a multiplication whose two halves are put together.
  @inline(__always)
  private static func mix(_ value: Span<UInt8>, into start: UInt64) -> UInt64 {
    let bytes = value.bytes
    let count = bytes.byteCount
    // In bounds: each load is of bytes before `count`.
    @inline(__always)
    func word(_ offset: Int) -> UInt64 {
      bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }
    var state = start ^ UInt64(truncatingIfNeeded: count)
    guard count < 8 else {
      var offset = 0
      while offset &+ 8 < count {
        state = fold(state ^ word(offset), 0xA076_1D64_78BD_642F)
        offset &+= 8
      }
      // The last eight, some of them once more.
      return fold(state ^ word(count &- 8), 0xE703_7ED1_A0B4_28DB)
    }
    // All of them, the first one highest: loads that overlap say the same where they do.
    var rest: UInt64 = 0
    if count >= 4 {
      let first = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
      let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
      rest =
        UInt64(UInt32(bigEndian: first)) &<< UInt64(truncatingIfNeeded: 8 &* (count &- 4))
        | UInt64(UInt32(bigEndian: last))
    } else {
      var offset = 0
      while offset < count {
        rest = rest &<< 8 | UInt64(bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
        offset &+= 1
      }
    }
    return fold(state ^ rest, 0x8EBC_6AF0_9C88_C6E3)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}

extension Span<UInt8> {
  /// As `Text.userId`: behind the first `/user/`; 0 when there is none.
  fileprivate var startOfUserId: Int {
    let marker: StaticString = "/user/"
    let length = marker.utf8CodeUnitCount
    let slashes: UInt64 = 0x2F2F_2F2F_2F2F_2F2F
    let ones: UInt64 = 0x0101_0101_0101_0101
    var start = 0
    while start &+ 8 <= count {
      let others = word(at: start) ^ slashes
      let found = (others &- ones) & ~others & (ones &* 0x80)
      guard found != 0 else {
        start &+= 8
        continue
      }
      // The lowest mark is a slash.
      start &+= found.trailingZeroBitCount &>> 3
      guard start &+ 8 <= count else { break }
      // The six bytes of the marker, the first one lowest.
      if word(at: start) &<< 16 == 0x2F72_6573_752F_0000 { return start &+ length }
      start &+= 1
    }
    while start &+ length <= count {
      if isAt(marker, start) { return start &+ length }
      start &+= 1
    }
    return 0
  }

  /// The eight bytes from there on, the first one lowest. The caller has compared with the end.
  @inline(__always)
  private func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// Whether these bytes stand there.
  @inline(__always)
  fileprivate func isAt(_ marker: StaticString, _ start: Int) -> Bool {
    let length = marker.utf8CodeUnitCount
    guard start &+ length <= count else { return false }
    var offset = 0
    while offset < length, self[unchecked: start &+ offset] == marker.utf8Start[offset] { offset &+= 1 }
    return offset == length
  }
}

extension RecordFacts {
  /// Writes to `terms` everything that its request can be found by, as far as this record tells it.
  package func write(
    to terms: inout ScratchArray<RecordTerm>, of line: Span<UInt8>, by hasher: TermHasher
  ) {
    terms.removeAll()
    if let place = self[.tenant] { terms.append(hasher.term(.tenant, bytes(place, of: line))) }
    if let place = self[.operation] { terms.append(hasher.term(.operation, bytes(place, of: line))) }
    if let place = self[.decision] { terms.append(hasher.term(.decision, bytes(place, of: line))) }
    if let place = self[.accessKeyId] { terms.append(hasher.term(.accessKey, bytes(place, of: line))) }
    if let place = self[.actor] { terms.append(hasher.term(.actor, bytes(place, of: line))) }
    if let place = self[.appInstanceUserId] { terms.append(hasher.term(.user, bytes(place, of: line))) }
    if let place = self[.appInstanceUserArn] { terms.append(hasher.user(arn: bytes(place, of: line))) }
    if let place = self[.name] { terms.append(hasher.term(.name, bytes(place, of: line))) }
    for index in 0..<tagCount {
      terms.append(hasher.tag(bytes(tag(index).key, of: line), bytes(tag(index).value, of: line)))
    }
    for index in 0..<ruleCount { terms.append(hasher.term(.rule, bytes(rule(index), of: line))) }
    if let place = self[.outcome], TermHasher.indexes(outcome: bytes(place, of: line)) {
      terms.append(hasher.term(.outcome, bytes(place, of: line)))
    }
    for index in 0..<changeCount {
      let field = bytes(change(index).key, of: line)
      // `Owner` of `Tags.Owner`.
      guard field.count > 5, field.isAt("Tags.", 0) else { continue }
      terms.append(hasher.tag(field.extracting(5..<field.count), bytes(change(index).value, of: line)))
    }
  }

  /// What must be known of a record whose request is looked for by number and id.
  package func statement(of line: Span<UInt8>, by hasher: TermHasher) -> RecordStatement {
    let id = self[.requestId].map { hasher.hash(.request, bytes($0, of: line)) } ?? 0
    let (isIntent, isFinding) =
      switch kind {
      case .intent: (true, false)
      case .reconciled: (false, true)
      case .outcome, .expired, .dropped, .suppressed, .other: (false, false)
      }
    return RecordStatement(
      sequence: sequence, time: time.nanoseconds, intent: intent, requestHash: id,
      isUnknown: isUnknown(of: line), isIntent: isIntent, isFinding: isFinding)
  }

  /// Whether, as far as it tells, no answer to its request is known; `nil` when it does not tell.
  private func isUnknown(of line: Span<UInt8>) -> Bool? {
    guard let place = self[.outcome] else { return nil }
    let outcome = bytes(place, of: line)
    return outcome.count == 7 && outcome.isAt("unknown", 0)
  }
}

/// What a record says of the request that it is about.
package struct RecordStatement: BitwiseCopyable, Sendable {
  package let sequence: Int
  /// Nanoseconds since 1970.
  package let time: Int64
  /// The number of the intent; `nil` when it does not name one.
  package let intent: Int?
  /// A hash of the request's id.
  package let requestHash: UInt64
  /// Whether no answer is known; `nil` when it does not tell.
  package let isUnknown: Bool?
  package let isIntent: Bool
  /// What `reconcile` found out.
  package let isFinding: Bool
}
