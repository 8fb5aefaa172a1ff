import Primitives
import RateLimiting
import TestSupport
import Testing

@Suite("The circuit breaker")
struct CircuitBreakerTests {
  private func breaker() -> CircuitBreaker {
    CircuitBreaker(consecutiveFailures: 3, openForNanoseconds: seconds(5))
  }

  @Test("opens after failures in a row only")
  func opens() {
    var breaker = breaker()
    for _ in 0..<2 { breaker.failed(now: at(0)) }
    breaker.succeeded()
    for _ in 0..<2 { breaker.failed(now: at(0)) }
    #expect(breaker.admit(now: at(0)) == .allowed)
    #expect(!breaker.isOpen)
    breaker.failed(now: at(0))
    #expect(breaker.isOpen)
    #expect(breaker.admit(now: at(1)) == .refused(retryAfter: seconds(4)))
  }

  @Test("lets one request through when its time is up, and closes when that succeeds")
  func probes() {
    var breaker = breaker()
    for _ in 0..<3 { breaker.failed(now: at(0)) }
    #expect(breaker.admit(now: at(4.999)) == .refused(retryAfter: seconds(0.001)))
    #expect(breaker.admit(now: at(5)) == .allowed)
    #expect(breaker.admit(now: at(6)) == .refused(retryAfter: seconds(4)))
    #expect(breaker.isOpen)
    breaker.succeeded()
    #expect(!breaker.isOpen)
    #expect(breaker.admit(now: at(6)) == .allowed)
  }

  @Test("stays open for its time again when the probe fails")
  func probeFails() {
    var breaker = breaker()
    for _ in 0..<3 { breaker.failed(now: at(0)) }
    #expect(breaker.admit(now: at(5)) == .allowed)
    breaker.failed(now: at(6))
    #expect(breaker.admit(now: at(10.9)) == .refused(retryAfter: seconds(0.1)))
    #expect(breaker.admit(now: at(11)) == .allowed)
  }

  @Test("sends another probe when nothing was heard of the first")
  func lostProbe() {
    var breaker = breaker()
    for _ in 0..<3 { breaker.failed(now: at(0)) }
    #expect(breaker.admit(now: at(5)) == .allowed)
    #expect(breaker.admit(now: at(10)) == .allowed)
  }

  @Test("is not held open longer by requests that were under way when it opened")
  func lateFailures() {
    var breaker = breaker()
    for _ in 0..<3 { breaker.failed(now: at(0)) }
    breaker.failed(now: at(4))
    #expect(breaker.admit(now: at(5)) == .allowed)
  }
}

@Suite("The retry budget")
struct RetryBudgetTests {
  @Test("allows its share of the requests in the long run", arguments: [1, 20, 100])
  func share(percent: Int) {
    var budget = RetryBudget(percent: percent)
    var retries = 0
    for _ in 0..<10_000 {
      budget.deposit()
      while budget.withdraw() { retries += 1 }
    }
    #expect((100 * percent...100 * percent + 10).contains(retries))
  }

  @Test("allows a few at the start, and none when it is nothing")
  func start() {
    var budget = RetryBudget(percent: 20)
    let atStart = (0..<20).count { _ in budget.withdraw() }
    #expect(atStart == 10)
    var none = RetryBudget(percent: 0)
    none.deposit()
    let isAllowed = none.withdraw()
    #expect(!isAllowed)
  }

  @Test("saves up no more than a hundred")
  func savings() {
    var budget = RetryBudget(percent: 50)
    for _ in 0..<10_000 { budget.deposit() }
    let saved = (0..<1000).count { _ in budget.withdraw() }
    #expect(saved == 100)
  }
}

@Suite("Backoff")
struct BackoffTests {
  @Test("waits anything up to a bound that doubles up to its cap")
  func bounds() {
    let backoff = Backoff(baseNanoseconds: 1000, capNanoseconds: 6000)
    let entropy = SeededEntropy(seed: 3)
    for (retry, bound) in [(0, 1000), (1, 2000), (2, 4000), (3, 6000), (100, 6000), (-1, 1000)] {
      let delays = (0..<2000).map { _ in backoff.delay(retry: retry, entropy: entropy) }
      #expect(delays.allSatisfy { (0...Int64(bound)).contains($0) }, "retry \(retry)")
      let mean = Double(delays.reduce(0, +)) / 2000
      #expect((0.45...0.55).contains(mean / Double(bound)), "retry \(retry)")
    }
  }

  @Test("does not overflow with the longest times")
  func extremes() {
    let backoff = Backoff(baseNanoseconds: .max, capNanoseconds: .max)
    #expect(backoff.delay(retry: .max, entropy: SeededEntropy(seed: 4)) >= 0)
  }
}
