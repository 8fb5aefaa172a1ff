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

  @Test("a decision names its buckets first and what counts for each behind them")
  func decide() {
    let buckets = [
      SharedBucket(key("k1"), SharedLimit(.rate(rate, queueFor: 2_000_000), .always)),
      SharedBucket(key("k2"), SharedLimit(.concurrency(8), .enforced)),
      SharedBucket(key("k3"), SharedLimit(.budget(quota), .warns), wish),
    ]
    #expect(
      words(.decide(buckets, lease: Array("lease".utf8)), digest: "abc") == [
        "EVALSHA", "abc", "4", "g:{limits}:run", "k1", "k2", "k3", "decide", "ra", "333333.333", "20", "2000",
        "ce", "8", "lease", "0", "bw", "12.5 30 1", "2.5 crm", "1500",
      ])
    let whole = words(.decide(buckets, lease: []), digest: nil)
    #expect(whole[0] == "EVAL")
    #expect(whole[1] == String(decoding: LimitScript.text, as: UTF8.self))
  }

  @Test("whole microseconds have no fraction")
  func wholeInterval() {
    let limit = GCRA(requestsPerSecond: 10, burst: 1)
    let bucket = SharedBucket(key("k"), SharedLimit(.rate(limit, queueFor: 0), .enforced))
    #expect(words(.decide([bucket], lease: []), digest: "d").suffix(4) == ["re", "100000", "1", "0"])
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
    #expect(words(.release(key: key("a"), lease: [0x31]), digest: nil) == ["ZREM", "a", "1"])
  }

  @Test("only an answer to what was asked is a decision")
  func answers() {
    let buckets = [
      SharedBucket(.none, SharedLimit(.rate(rate, queueFor: 0), .enforced)),
      SharedBucket(.none, SharedLimit(.concurrency(2), .enforced)),
    ]
    func read(_ numbers: [Int64]) -> SharedDecision? {
      LimitCommand.decision(.integers(numbers), about: buckets)
    }
    #expect(
      read([5, 1, 0, 333_334, 0, 0, 2])
        == SharedDecision([
          BucketDecision(.allowed, wait: 0, used: 333_334_000),
          BucketDecision(.refused, wait: 0, used: 2),
        ]))
    #expect(read([5, 1, 0, 333_334]) == nil)
    #expect(read([5, 2, 0, 0, 0, 0, 2]) == nil)
    #expect(read([5, 1, -1, 0, 0, 0, 2]) == nil)
    #expect(read([5, 1, 0, .max, 0, 0, 2]) == nil)
    #expect(LimitCommand.decision(.status([]), about: buckets) == nil)
    #expect(LimitCommand.decision(.array([.null]), about: buckets) == nil)
  }

  @Test("an answer about a budget tells more than one about a rate")
  func budgetAnswers() {
    let buckets = [
      SharedBucket(.none, SharedLimit(.rate(rate, queueFor: 0), .enforced)),
      SharedBucket(.none, SharedLimit(.budget(quota), .enforced), wish),
    ]
    func read(_ numbers: [Int64]) -> BucketDecision? {
      SharedDecision(numbers, about: buckets)?.buckets[1]
    }
    #expect(
      read([5, 1, 0, 3, 2, 40, 7, 500_000, 9])
        == BucketDecision(.waiting(ticket: 9), wait: 40_000, used: 7000, factor: 0.5))
    #expect(read([5, 1, 0, 3, 3, 0, 0, 1_000_000, 0])?.outcome == .unasked)
    #expect(read([5, 1, 0, 3, 0, 40, 7, 1_000_000, 0])?.isRefused == true)
    for wrong in [
      [5, 1, 0, 3, 4, 0, 0, 1_000_000, 0], [5, 1, 0, 3, 1, 0, 0, 0, 0], [5, 1, 0, 3, 1, 0, 0, 1_000_001, 0],
      [5, 1, 0, 3, 1, 0, 0, 1_000_000], [5, 1, 0, 3, 1, 0, 0, 1_000_000, 0, 0], [5, 1, 0, 3, 1, -1, 0, 1, 0],
      [],
    ] {
      #expect(read(wrong.map { Int64($0) }) == nil, "\(wrong)")
    }
    #expect(quota.limit(factor: 0.5) == GCRA(requestsPerSecond: 6.25, burst: 30))
    #expect(quota.limit(factor: 1).burst == 30)
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

  private func words(_ command: LimitCommand, digest: String?) -> [String] {
    var out = ByteBuffer()
    let script = digest.map { LimitCommand.call(Array($0.utf8)) } ?? LimitCommand.wholeScript
    command.append(to: &out, keys: keys, script: script)
    var reader = RedisReplyReader()
    reader.add(out.span.bytes)
    // A command has the form of an array of bulk strings, as replies have.
    guard let reply = try? reader.next(), case .array(let words) = reply else { return [] }
    return words.map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
  }
}
