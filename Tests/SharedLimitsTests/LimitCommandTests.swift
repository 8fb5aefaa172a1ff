import Primitives
import RateLimiting
import RedisWire
import SharedLimits
import Testing

@Suite("What is sent to the store")
struct LimitCommandTests {
  let keys = StoreKeys(prefix: "g:")
  let rate = GCRA(requestsPerSecond: 3, burst: 20)
  let quota = SharedQuota(.init(requestsPerSecond: 12.5, burst: 30, adaptive: true))
  let crm = QuotaTenant(Array("crm".utf8), weight: 2.5)
  var wish: QuotaWish { QuotaWish(crm, queueFor: 1_500_000) }

  @Test("a call names each bucket once and then what each request asks of which")
  func decide() {
    let tenant = SharedBucket(key("k1"), SharedLimit(.rate(rate, queueFor: 2_000_000), .always))
    let places = SharedBucket(key("k2"), SharedLimit(.concurrency(8), .enforced))
    let account = SharedBucket(key("k3"), SharedLimit(.budget(quota), .warns), wish)
    var call = DecisionCall()
    expectAdded(&call, [tenant, places, account], lease: "one")
    expectAdded(&call, [places], lease: "two")
    expectAdded(&call, [])
    expectAdded(&call, [tenant, SharedBucket(key("k1"), tenant.limit)])
    let definitions = ["ra", "333333.333", "20", "2000", "ce", "8", "", "", "bw", "12.5 30 1", "", ""]
    let requests = [
      "3", "1", "2", "one", "3", "2.5 crm", "1500", "1", "2", "two", "0", "2", "1", "1",
    ]
    #expect(
      words(&call) == ["EVALSHA", "abc", "4", "g:{limits}:run", "k1", "k2", "k3", "decide"] + definitions
        + requests)
    // It begins anew.
    expectAdded(&call, [])
    #expect(words(&call) == ["EVALSHA", "abc", "1", "g:{limits}:run", "decide", "0"])
  }

  @Test("a call has no room for other numbers of one bucket, nor for more than a server should do at once")
  func room() {
    let old = SharedBucket(key("k"), SharedLimit(.concurrency(8), .enforced))
    let new = SharedBucket(key("k"), SharedLimit(.concurrency(9), .enforced))
    let other = SharedBucket(key("o"), SharedLimit(.concurrency(9), .enforced))
    var call = DecisionCall()
    expectAdded(&call, [old], lease: "1")
    expectAdded(&call, [other, new], lease: "2", fits: false)
    #expect(call.requestCount == 1)
    // Nothing is left of what did not fit.
    #expect(
      words(&call) == [
        "EVALSHA", "abc", "2", "g:{limits}:run", "k", "decide", "ce", "8", "", "", "1", "1", "1",
      ])
    expectAdded(&call, [other, new], lease: "2")
    call.removeAll()
    for number in 0..<128 { expectAdded(&call, [old], lease: "\(number)") }
    expectAdded(&call, [old], lease: "more", fits: false)
    call.removeAll()
    let limit = SharedLimit(.rate(rate, queueFor: 0), .enforced)
    for number in 0..<64 { expectAdded(&call, [SharedBucket(key("\(number)"), limit)]) }
    expectAdded(&call, [SharedBucket(key("64"), limit)], fits: false)
  }

  private func expectAdded(
    _ call: inout DecisionCall, _ buckets: [SharedBucket], lease: String = "", fits: Bool = true,
    at place: SourceLocation = #_sourceLocation
  ) {
    let isAdded = call.add(buckets, lease: Array(lease.utf8))
    #expect(isAdded == fits, sourceLocation: place)
  }

  private func words(_ call: inout DecisionCall) -> [String] {
    var out = ByteBuffer()
    call.move(to: &out, keys: keys, script: ScriptCall(digest: Array("abc".utf8)))
    return words(in: out.span)
  }

  @Test("a server that does not know the script gets it whole")
  func whole() {
    var call = DecisionCall()
    var out = ByteBuffer()
    expectAdded(&call, [])
    call.move(to: &out, keys: keys, script: .whole)
    let sent = words(in: out.span)
    #expect(sent[0] == "EVAL")
    #expect(sent[1] == String(decoding: LimitScript.text, as: UTF8.self))
  }

  @Test("whole microseconds have no fraction")
  func wholeInterval() {
    let limit = GCRA(requestsPerSecond: 10, burst: 1)
    var call = DecisionCall()
    expectAdded(&call, [SharedBucket(key("k"), SharedLimit(.rate(limit, queueFor: 0), .enforced))])
    #expect(words(&call).suffix(6) == ["re", "100000", "1", "0", "1", "1"])
  }

  @Test("what is said of a budget bears its numbers")
  func budgetCalls() {
    let key = key("k")
    #expect(
      words(.look(key: key, quota, crm, ticket: 7), digest: "d")
        == ["EVALSHA", "d", "2", "g:{limits}:run", "k", "look", "12.5 30 1", "crm", "7"])
    #expect(
      words(.giveBack(key: key, quota, crm), digest: "d")
        == ["EVALSHA", "d", "2", "g:{limits}:run", "k", "giveBack", "12.5 30 1", "crm"])
    #expect(
      words(.throttled(key: key, quota), digest: "d")
        == ["EVALSHA", "d", "2", "g:{limits}:run", "k", "throttled", "12.5 30 1"])
  }

  @Test("a sign of life renews leases")
  func beat() {
    let leases = [(key: key("a"), members: [[UInt8]("1".utf8), [UInt8]("2".utf8)])]
    #expect(
      words(.beat(gateway: [0x67], leases: leases), digest: "d") == [
        "EVALSHA", "d", "3", "g:{limits}:run", "g:{limits}:gateways", "a", "beat", "g", "2", "1", "2",
      ])
    #expect(
      words(.release(key: key("a"), leases: [[0x31], [0x32]]), digest: "d") == ["ZREM", "a", "1", "2"])
  }

  @Test("only an answer to what was asked is a decision")
  func answers() {
    let buckets = [
      SharedBucket(.none, SharedLimit(.rate(rate, queueFor: 0), .enforced)),
      SharedBucket(.none, SharedLimit(.concurrency(2), .enforced)),
    ]
    func read(_ numbers: [Int64]) -> SharedDecision? {
      var reader = DecisionReader(numbers)
      let decision = reader.decision(about: buckets)
      return reader.isAtEnd ? decision : nil
    }
    #expect(
      read([5, 0, 1, 0, 333_334, 0, 0, 2])
        == SharedDecision([
          BucketDecision(.allowed, wait: 0, used: 333_334_000),
          BucketDecision(.refused, wait: 0, used: 2),
        ]))
    let plain = read([5, 1, 333_334])
    #expect(plain?[0] == BucketDecision(.allowed, wait: 0, used: 333_334_000))
    #expect(plain?[1] == BucketDecision(.allowed, wait: 0, used: 0))
    #expect(plain?.isPlain == true)
    for wrong: [Int64] in [
      [], [5], [5, 1], [5, 2, 0], [5, 1, -1], [5, 1, .max], [5, 1, 0, 0], [5, 0, 1, 0, 333_334], [5, 0],
      [5, 0, 2, 0, 0, 0, 0, 2], [5, 0, 1, -1, 0, 0, 0, 2], [5, 0, 1, 0, .max, 0, 0, 2],
      [5, 0, 1, 0, 0, 0, 0, 2, 1],
    ] {
      #expect(read(wrong) == nil, "\(wrong)")
    }
  }

  @Test("an answer about a budget tells more than one about a rate")
  func budgetAnswers() {
    let buckets = [
      SharedBucket(.none, SharedLimit(.rate(rate, queueFor: 0), .enforced)),
      SharedBucket(.none, SharedLimit(.budget(quota), .enforced), wish),
    ]
    func read(_ numbers: [Int64]) -> BucketDecision? {
      var reader = DecisionReader([5, 0] + numbers)
      let decision = reader.decision(about: buckets)
      return reader.isAtEnd ? decision?[1] : nil
    }
    #expect(
      read([1, 0, 3, 2, 40, 7, 500_000, 9])
        == BucketDecision(.waiting(ticket: 9), wait: 40_000, used: 7000, factor: 0.5))
    #expect(read([1, 0, 3, 3, 0, 0, 1_000_000, 0])?.outcome == .unasked)
    #expect(read([1, 0, 3, 0, 40, 7, 1_000_000, 0])?.isRefused == true)
    for wrong: [Int64] in [
      [1, 0, 3, 4, 0, 0, 1_000_000, 0], [1, 0, 3, 1, 0, 0, 0, 0], [1, 0, 3, 1, 0, 0, 1_000_001, 0],
      [1, 0, 3, 1, 0, 0, 1_000_000], [1, 0, 3, 1, 0, 0, 1_000_000, 0, 0], [1, 0, 3, 1, -1, 0, 1, 0], [],
    ] {
      #expect(read(wrong) == nil, "\(wrong)")
    }
    var look = DecisionReader([5, 2, 40, 7, 500_000, 9])
    let found = look.look(at: buckets[1])
    #expect(found?[0].outcome == .waiting(ticket: 9))
    #expect(quota.limit(factor: 0.5) == GCRA(requestsPerSecond: 6.25, burst: 30))
    #expect(quota.limit(factor: 1).burst == 30)
  }

  @Test("answers to several requests are read one after the other")
  func severalAnswers() {
    let buckets = [SharedBucket(.none, SharedLimit(.rate(rate, queueFor: 0), .enforced))]
    var reader = DecisionReader([5, 1, 7, 0, 0, 3, 9, 1, 0])
    let decisions = (0..<3).map { _ in reader.decision(about: buckets)?[0] }
    #expect(
      decisions == [
        BucketDecision(.allowed, wait: 0, used: 7000), BucketDecision(.refused, wait: 3000, used: 9000),
        BucketDecision(.allowed, wait: 0, used: 0),
      ])
    #expect(reader.isAtEnd)
    let more = reader.decision(about: buckets)
    #expect(more == nil)
  }

  @Test("a rate's decision reads as a local one's")
  func asLocal() {
    var stored: MonotonicInstant?
    let now = MonotonicInstant(nanoseconds: 0)
    let local = rate.decide(&stored, now: now)
    let used = stored?.nanoseconds(since: now) ?? 0
    let shared = BucketDecision(.allowed, wait: 0, used: used).limit(rate)
    #expect(shared == local)
    #expect(BucketDecision(.refused, wait: 7, used: 9).limit(rate).remaining == 0)
  }

  private func key(_ name: String) -> StoreKey { StoreKey(Array(name.utf8)) }

  private func words(_ command: LimitCommand, digest: String) -> [String] {
    var out = ByteBuffer()
    command.append(to: &out, keys: keys, script: ScriptCall(digest: Array(digest.utf8)))
    return words(in: out.span)
  }

  private func words(in sent: Span<UInt8>) -> [String] {
    var reader = RedisReplyReader()
    reader.add(sent.bytes)
    // A command has the form of an array of bulk strings, as replies have.
    guard let reply = try? reader.next(), case .array(let words) = reply else { return [] }
    return words.map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
  }
}
