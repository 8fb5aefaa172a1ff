import Glibc
import Primitives
import TestSupport

@testable import RateLimiting

/// How requests of one tenant come.
enum Arrivals: CaseIterable {
  /// Like a clock.
  case regular
  /// Each by chance, as those of many users do.
  case random
  /// One to three at once, by chance.
  case clustered
  /// For a while twice as many, for a while none.
  case onAndOff

  /// Their times, in order.
  func times(rate: Double, seconds: Double, _ chance: inout SeededGenerator) -> [Double] {
    var times: [Double] = []
    var time = Double.random(in: 0..<1, using: &chance) / rate
    while time < seconds {
      switch self {
      case .regular:
        times.append(time)
        time += 1 / rate
      case .random:
        times.append(time)
        time += Self.pause(rate, &chance)
      case .clustered:
        let count = Int.random(in: 1...3, using: &chance)
        times += repeatElement(time, count: count)
        time += Self.pause(rate / Double(count), &chance)
      case .onAndOff:
        let end = time + Double.random(in: 0.1...1, using: &chance)
        let off = end - time
        while time < min(end, seconds) {
          times.append(time)
          time += 1 / (2 * rate)
        }
        time = end + off
      }
    }
    return times
  }

  /// Until the next one, if the chance to come is the same at any time.
  private static func pause(_ rate: Double, _ chance: inout SeededGenerator) -> Double {
    -log(1 - Double.random(in: 0..<1, using: &chance)) / rate
  }
}

/// Several tenants that ask one budget.
struct SharingScenario {
  var rate: Double
  var burst: Int
  var weights: [Double]
  /// Requests of each tenant.
  var arrivals: [[Double]] = []
  /// Seconds that a request may wait.
  var queueFor = 0.0

  /// What each tenant may count on.
  var shares: [Double] {
    let sum = weights.reduce(0, +)
    return weights.map { rate * $0 / sum }
  }

  struct Outcome {
    /// Requests of each tenant that had their turn.
    var granted: [Int]
    /// Seconds that one of them waited at most.
    var longestWait = 0.0
    /// Requests that waited.
    var waited = 0
    /// Of those, how many did so in vain.
    var inVain = 0
    /// When requests had their turn, in order, and whose they were.
    var grants: [(time: Double, tenant: Int)] = []

    var total: Int { granted.reduce(0, +) }
  }

  private struct Event {
    let time: Double
    let tenant: Int
    let since: Double
    var ticket: UpstreamBudget.Ticket?
  }

  /// Asks in the order of time; those that wait look again when they are told to, as the gateway does.
  func run() -> Outcome {
    var budget = UpstreamBudget(
      .init(requestsPerSecond: rate, burst: burst, adaptive: false), now: at(0))
    var outcome = Outcome(granted: weights.map { _ in 0 })
    var coming: [Event] = []
    for (tenant, times) in arrivals.enumerated() {
      coming += times.map { Event(time: $0, tenant: tenant, since: $0) }
    }
    coming.sort { ($0.time, $0.tenant) > ($1.time, $1.tenant) }
    /// By the time at which they look, the next last.
    var waiting: [Event] = []
    while true {
      let isLook = (waiting.last?.time ?? .infinity) <= (coming.last?.time ?? .infinity)
      guard let event = isLook ? waiting.popLast() : coming.popLast() else { return outcome }
      let turn =
        if let ticket = event.ticket {
          budget.look(for: ticket, now: at(event.time))
        } else {
          budget.ask(
            event.tenant, weight: weights[event.tenant], queueFor: seconds(queueFor), now: at(event.time))
        }
      switch turn {
      case .granted:
        outcome.granted[event.tenant] += 1
        outcome.longestWait = max(outcome.longestWait, event.time - event.since)
        outcome.grants.append((event.time, event.tenant))
      case .waiting(let ticket, let nanoseconds):
        if event.ticket == nil { outcome.waited += 1 }
        let next = event.time + max(0.001, min(0.025, Double(nanoseconds) / 1e9))
        let look = Event(time: next, tenant: event.tenant, since: event.since, ticket: ticket)
        let place = waiting.firstIndex { $0.time < next } ?? waiting.count
        waiting.insert(look, at: place)
      case .refused:
        if event.ticket != nil { outcome.inVain += 1 }
      }
    }
  }
}

/// Of requests at these times, those that a plain bucket with a rate and a burst lets through.
func withinRate(_ times: [Double], rate: Double, burst: Double) -> [Double] {
  var (tokens, last) = (burst, 0.0)
  return times.filter { time in
    tokens = min(burst, tokens + (time - last) * rate)
    last = time
    guard tokens >= 1 - 1e-6 else { return false }
    tokens -= 1
    return true
  }
}

func plainBucket(_ times: [Double], rate: Double, burst: Double) -> Int {
  withinRate(times, rate: rate, burst: burst).count
}
