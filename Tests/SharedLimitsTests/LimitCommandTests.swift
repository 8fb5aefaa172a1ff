import Primitives
import RateLimiting
import RedisWire
import SharedLimits
import Testing

@Suite("What is sent to the store")
struct LimitCommandTests {
  let keys = StoreKeys(prefix: "g:")
  let rate = GCRA(requestsPerSecond: 3, burst: 20)

  @Test("a decision names its buckets first and what counts for each behind them")
  func decide() {
    let buckets = [
      SharedBucket(key: Array("k1".utf8), .rate(rate, queueFor: 2_000_000), .always),
      SharedBucket(key: Array("k2".utf8), .concurrency(8), .enforced),
    ]
    #expect(
      words(.decide(buckets, lease: Array("lease".utf8)), digest: "abc") == [
        "EVALSHA", "abc", "3", "g:{limits}:run", "k1", "k2", "decide", "ra", "333333.333", "20", "2000", "ce",
        "8", "lease", "0",
      ])
    let whole = words(.decide(buckets, lease: []), digest: nil)
    #expect(whole[0] == "EVAL")
    #expect(whole[1] == LimitScript.text.description)
  }

  @Test("whole microseconds have no fraction")
  func refund() {
    let limit = GCRA(requestsPerSecond: 10, burst: 1)
    #expect(
      words(.refund(key: [0x6B], limit), digest: "d")
        == ["EVALSHA", "d", "2", "g:{limits}:run", "k", "refund", "100000", "1"])
  }

  @Test("a sign of life renews leases")
  func beat() {
    let leases = [(key: [UInt8]("a".utf8), members: [[UInt8]("1".utf8), [UInt8]("2".utf8)])]
    #expect(
      words(.beat(gateway: [0x67], leases: leases), digest: "d") == [
        "EVALSHA", "d", "3", "g:{limits}:run", "g:{limits}:gateways", "a", "beat", "g", "2", "1", "2",
      ])
    #expect(words(.release(key: [0x61], lease: [0x31]), digest: nil) == ["ZREM", "a", "1"])
  }

  @Test("only an answer to what was asked is a decision")
  func answers() {
    let buckets = [
      SharedBucket(key: [], .rate(rate, queueFor: 0), .enforced),
      SharedBucket(key: [], .concurrency(2), .enforced),
    ]
    func read(_ numbers: [Int64]) -> SharedDecision? {
      LimitCommand.decision(.array(numbers.map { .integer($0) }), about: buckets)
    }
    #expect(
      read([5, 1, 0, 333_334, 0, 0, 2])
        == SharedDecision([
          BucketDecision(isAllowed: true, wait: 0, used: 333_334_000),
          BucketDecision(isAllowed: false, wait: 0, used: 2),
        ]))
    #expect(read([5, 1, 0, 333_334]) == nil)
    #expect(read([5, 2, 0, 0, 0, 0, 2]) == nil)
    #expect(read([5, 1, -1, 0, 0, 0, 2]) == nil)
    #expect(read([5, 1, 0, .max, 0, 0, 2]) == nil)
    #expect(LimitCommand.decision(.status([]), about: buckets) == nil)
    #expect(LimitCommand.decision(.array([.null]), about: []) == nil)
  }

  @Test("a rate's decision reads as a local one's")
  func asLocal() {
    var stored: MonotonicInstant?
    let now = MonotonicInstant(nanoseconds: 0)
    let local = rate.decide(&stored, now: now)
    let used = stored?.nanoseconds(since: now) ?? 0
    let shared = BucketDecision(isAllowed: true, wait: 0, used: used).limit(rate)
    #expect(shared == local)
    #expect(BucketDecision(isAllowed: false, wait: 7, used: 9).limit(rate).remaining == 0)
  }

  private func words(_ command: LimitCommand, digest: String?) -> [String] {
    var out = ByteBuffer()
    command.append(to: &out, keys: keys, digest: digest.map { Array($0.utf8) })
    var reader = RedisReplyReader()
    reader.add(out.span.bytes)
    // A command has the form of an array of bulk strings, as replies have.
    guard let reply = try? reader.next(), case .array(let words) = reply else { return [] }
    return words.map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
  }
}
