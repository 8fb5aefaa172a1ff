internal import AuditTrail
internal import Glibc
internal import Primitives

/// Something that a request can be found by, as 32 bits of a hash. Requests that are found are compared with what was
/// asked for, so that two things with the same bits cost time and nothing else; and the index holds no names or tags.
struct IndexTerm: BitwiseCopyable, Hashable {
  let bits: UInt32
}

/// Hashes terms under the key of an index, so that nobody can choose names that have the same bits.
struct TermHasher: BitwiseCopyable {
  enum Subject: UInt64 {
    case tenant = 1, operation, decision, accessKey, actor, user, name, tag
    /// No term: it tells whose outcome a record is.
    case request
  }

  private let key: UInt64

  init(build: Int64) { key = UInt64(bitPattern: build) }

  func term(_ subject: Subject, _ value: Span<UInt8>) -> IndexTerm {
    IndexTerm(bits: UInt32(truncatingIfNeeded: hash(subject, value) &>> 32))
  }

  func tag(_ name: Span<UInt8>, _ value: Span<UInt8>) -> IndexTerm {
    // Each part ends with its length, so that `ab` + `c` is not `a` + `bc`.
    let state = Self.mix(value, into: Self.mix(name, into: start(.tag)))
    return IndexTerm(bits: UInt32(truncatingIfNeeded: state &>> 32))
  }

  /// A user is looked for by its id, whichever of the two is asked for.
  func user(arn: Span<UInt8>) -> IndexTerm { term(.user, arn.extracting(arn.startOfUserId..<arn.count)) }

  func hash(_ subject: Subject, _ value: Span<UInt8>) -> UInt64 { Self.mix(value, into: start(subject)) }

  @inline(__always)
  private func start(_ subject: Subject) -> UInt64 {
    Self.fold(key ^ subject.rawValue, 0x9E37_79B9_7F4A_7C15)
  }

  /// Eight bytes at a time, in the manner of wyhash: a multiplication whose two halves are put together.
  @inline(__always)
  private static func mix(_ value: Span<UInt8>, into start: UInt64) -> UInt64 {
    let bytes = value.bytes
    let count = bytes.byteCount
    var state = start
    var offset = 0
    // In bounds: each load is of bytes before `count`.
    while offset &+ 8 <= count {
      state = fold(
        state ^ bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self),
        0xA076_1D64_78BD_642F)
      offset &+= 8
    }
    var rest: UInt64 = 0
    if offset &+ 4 <= count {
      rest = UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
      offset &+= 4
    }
    while offset < count {
      rest = rest &<< 8 | UInt64(bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
      offset &+= 1
    }
    state = fold(state ^ rest, 0xE703_7ED1_A0B4_28DB)
    return fold(state ^ UInt64(truncatingIfNeeded: count), 0x8EBC_6AF0_9C88_C6E3)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}

extension Span<UInt8> {
  /// As `Text.userId`: behind the first `/user/`; 0 when nothing stands there.
  fileprivate var startOfUserId: Int {
    withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      var start = 0
      // `found` lies within the bytes, and so does what is compared.
      while let found = memchr(base + start, Int32(UInt8(ascii: "/")), bytes.count - start) {
        start = base.distance(to: UnsafeRawPointer(found)) + 1
        if bytes.count - start >= 5, memcmp(base + start, "user/", 5) == 0 { return start + 5 }
      }
      return 0
    }
  }
}

extension RecordFacts {
  /// Calls `body` with everything that its request can be found by, as far as this record tells it.
  @inline(__always)
  func forEachTerm(of line: Span<UInt8>, by hasher: TermHasher, _ body: (IndexTerm) -> Void) {
    if let tenant { body(hasher.term(.tenant, bytes(tenant, of: line))) }
    if let operation { body(hasher.term(.operation, bytes(operation, of: line))) }
    if let decision { body(hasher.term(.decision, bytes(decision, of: line))) }
    if let accessKeyId { body(hasher.term(.accessKey, bytes(accessKeyId, of: line))) }
    if let actor { body(hasher.term(.actor, bytes(actor, of: line))) }
    if let appInstanceUserId { body(hasher.term(.user, bytes(appInstanceUserId, of: line))) }
    if let appInstanceUserArn { body(hasher.user(arn: bytes(appInstanceUserArn, of: line))) }
    if let name { body(hasher.term(.name, bytes(name, of: line))) }
    for index in tags.indices {
      body(hasher.tag(bytes(tags[index].key, of: line), bytes(tags[index].value, of: line)))
    }
    for index in changes.indices {
      let field = bytes(changes[index].key, of: line)
      // `Owner` of `Tags.Owner`.
      guard field.count > 5, field.extracting(0..<5).holds(Self.tagPrefix) else { continue }
      body(hasher.tag(field.extracting(5..<field.count), bytes(changes[index].value, of: line)))
    }
  }

  private static let tagPrefix: Text = "Tags."
}

extension QueryFilter {
  /// Of each of these groups a request must have one. What is rare stands first.
  func groups(by hasher: TermHasher) -> [[IndexTerm]] {
    func term(_ subject: TermHasher.Subject, _ value: Text) -> IndexTerm {
      hasher.term(subject, value.utf8.span)
    }
    var groups: [[IndexTerm]] = []
    if let userId { groups.append([term(.user, userId)]) }
    if let userArn { groups.append([hasher.user(arn: userArn.utf8.span)]) }
    if let name { groups.append(recorded(name).map { term(.name, $0) }) }
    for tag in tags {
      groups.append(recorded(tag.value).map { hasher.tag(tag.key.utf8.span, $0.utf8.span) })
    }
    if let actor { groups.append([term(.actor, actor)]) }
    if let accessKeyId { groups.append([term(.accessKey, accessKeyId)]) }
    if let tenant { groups.append([term(.tenant, tenant)]) }
    if let decision { groups.append([term(.decision, Text(decision.rawValue))]) }
    if let operation { groups.append([term(.operation, operation)]) }
    return groups
  }
}
