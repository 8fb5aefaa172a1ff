import Primitives

@testable import RateLimiting

/// A tenant that asks at regular intervals.
struct Caller {
  let tenant: Text
  var weight = 10.0
  let requestsPerSecond: Double
  var from = 0.0
  var until = Double.infinity
}

/// When requests of each tenant had their turn, in order of time. Those that wait look again when they are told to, as
/// the gateway does.
func simulate(
  _ callers: [Caller], rate: Double = 20, burst: Int = 20, seconds: Double = 60, queueFor: Int64 = 0
) -> [Text: [Double]] {
  var budget = UpstreamBudget(
    .init(requestsPerSecond: rate, burst: burst, adaptive: false), now: at(0))
  var granted: [Text: [Double]] = [:]
  var looks: [(time: Double, caller: Caller, ticket: UpstreamBudget.Ticket)] = []

  func note(_ turn: UpstreamBudget.Turn, of caller: Caller, at time: Double) {
    switch turn {
    case .granted: granted[caller.tenant, default: []].append(time)
    case .waiting(let ticket, let nanoseconds):
      looks.append((time + max(0.001, min(0.025, Double(nanoseconds) / 1e9)), caller, ticket))
    case .refused: break
    }
  }

  func look(until time: Double) {
    while let next = looks.indices.min(by: { looks[$0].time < looks[$1].time }), looks[next].time <= time {
      let (moment, caller, ticket) = looks.remove(at: next)
      note(budget.look(for: ticket, now: at(moment)), of: caller, at: moment)
    }
  }

  for (time, caller) in arrivals(of: callers, seconds: seconds) {
    look(until: time)
    let turn = budget.ask(caller.tenant, weight: caller.weight, queueFor: queueFor, now: at(time))
    note(turn, of: caller, at: time)
  }
  look(until: .infinity)
  return granted
}

private func arrivals(of callers: [Caller], seconds: Double) -> [(time: Double, caller: Caller)] {
  var arrivals: [(time: Double, caller: Caller)] = []
  for (index, caller) in callers.enumerated() {
    // Offset by a little, so that no two ask at once by construction.
    var time = caller.from + 0.0001 * Double(index + 1)
    while time < min(seconds, caller.until) {
      arrivals.append((time, caller))
      time += 1 / caller.requestsPerSecond
    }
  }
  return arrivals.sorted { $0.time < $1.time }
}
