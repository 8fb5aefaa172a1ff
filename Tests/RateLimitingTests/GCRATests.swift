import Primitives
import RateLimiting
import TestSupport
import Testing

@Suite("A rate with a burst")
struct GCRATests {
  @Test("allows the burst at once, then one request an interval")
  func burstThenRate() {
    let limit = GCRA(requestsPerSecond: 10, burst: 3)
    var stored: MonotonicInstant?
    for remaining in [2, 1, 0] {
      let decision = limit.decide(&stored, now: at(0))
      #expect(decision.isAllowed)
      #expect(decision.remaining == remaining)
    }
    let refused = limit.decide(&stored, now: at(0))
    #expect(!refused.isAllowed)
    #expect(refused.wait == seconds(0.1))
    #expect(refused.reset == seconds(0.1))
    #expect(!limit.decide(&stored, now: at(0.0999)).isAllowed)
    #expect(limit.decide(&stored, now: at(0.1)).isAllowed)
    #expect(!limit.decide(&stored, now: at(0.1)).isAllowed)
  }

  @Test("refusing costs nothing")
  func refusalsAreFree() {
    let limit = GCRA(requestsPerSecond: 1, burst: 1)
    var stored: MonotonicInstant?
    _ = limit.decide(&stored, now: at(0))
    for _ in 0..<100 { #expect(!limit.decide(&stored, now: at(0.5)).isAllowed) }
    #expect(limit.decide(&stored, now: at(1)).isAllowed)
  }

  @Test("waiting as long as it says is enough, and less is not")
  func retryAfterIsExact() {
    let limit = GCRA(requestsPerSecond: 7, burst: 4)
    let entropy = SeededEntropy(seed: 1)
    var stored: MonotonicInstant?
    var now = at(0)
    for _ in 0..<2000 {
      let decision = limit.decide(&stored, now: now)
      if decision.isAllowed {
        now = now.advanced(byNanoseconds: Int64(entropy.next() % 100_000_000))
        continue
      }
      var early = stored
      let before = now.advanced(byNanoseconds: decision.wait - 1)
      #expect(!limit.decide(&early, now: before).isAllowed)
      now = now.advanced(byNanoseconds: decision.wait)
      #expect(limit.decide(&stored, now: now).isAllowed)
    }
  }

  @Test(
    "admits what the rate and the burst allow in the long run, whatever the arrivals",
    arguments: [(0.5, 1), (10, 20), (333, 5), (1000, 1)] as [(Double, Int)])
  func longRun(rate: Double, burst: Int) {
    let limit = GCRA(requestsPerSecond: rate, burst: burst)
    let entropy = SeededEntropy(seed: 2)
    var stored: MonotonicInstant?
    var now = 0.0
    var allowed = 0
    while now < 100 {
      if limit.decide(&stored, now: at(now)).isAllowed { allowed += 1 }
      now += Double(entropy.next() % 1000) / 20_000 / rate
    }
    #expect(Double(allowed) <= rate * now + Double(burst) + 1)
    #expect(Double(allowed) >= rate * 100 * 0.95 - 1)
  }

  @Test("of no sense does not trap", arguments: [0, -1, 1e-30, 1e30, .infinity, .nan] as [Double])
  func extremes(rate: Double) {
    for burst in [Int.min, 0, 1, 1_000_000, Int.max] {
      let limit = GCRA(requestsPerSecond: rate, burst: burst)
      var stored: MonotonicInstant?
      #expect(limit.decide(&stored, now: at(0)).isAllowed)
      _ = limit.decide(&stored, now: at(1))
      _ = limit.decide(&stored, now: at(-1))
    }
  }
}

@Suite("The fields about a limit")
struct RateLimitFieldsTests {
  private func text(_ write: (inout [UInt8]) -> Void) -> String {
    var out: [UInt8] = []
    write(&out)
    return String(decoding: out, as: UTF8.self)
  }

  // The form is that of the examples in draft-ietf-httpapi-ratelimit-headers.
  @Test("are structured-field items with quota and window, remaining and reset")
  func form() {
    let limit = GCRA(requestsPerSecond: 10, burst: 25)
    var stored: MonotonicInstant?
    let decision = limit.decide(&stored, now: at(0))
    #expect(text { RateLimitFields.appendPolicy(limit, named: "tenant", to: &$0) } == #""tenant";q=25;w=3"#)
    #expect(
      text {
        RateLimitFields.appendState(decision.remaining, reset: decision.reset, named: "tenant", to: &$0)
      }
        == #""tenant";r=24;t=1"#)
    #expect(
      text { RateLimitFields.appendPolicy(concurrency: 8, named: "concurrency", to: &$0) }
        == #""concurrency";q=8;qu="concurrent-requests""#)
    #expect(
      text { RateLimitFields.appendState(0, reset: nil, named: "concurrency", to: &$0) }
        == #""concurrency";r=0"#)
  }

  @Test("give seconds that suffice, and at least one")
  func seconds() {
    let cases: [(Int64, Int)] = [
      (-5, 1), (0, 1), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2),
      (59_000_000_001, 60),
    ]
    for (nanoseconds, expected) in cases {
      #expect(RateLimitFields.wholeSeconds(nanoseconds) == expected, "\(nanoseconds)")
    }
  }
}
