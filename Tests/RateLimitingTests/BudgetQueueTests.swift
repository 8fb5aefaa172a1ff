import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("The queue of the upstream budget")
struct BudgetQueueTests {
  private func budget(_ rate: Double = 10, burst: Int = 1) -> UpstreamBudget {
    UpstreamBudget(.init(requestsPerSecond: rate, burst: burst, adaptive: false), now: at(0))
  }

  private func ticket(_ turn: UpstreamBudget.Turn) throws -> UpstreamBudget.Ticket {
    guard case .waiting(let ticket, _) = turn else {
      Issue.record("not waiting: \(turn)")
      throw NoTicket()
    }
    return ticket
  }

  private struct NoTicket: Error {}

  @Test("lets requests wait for their turn, spaced by the rate, and no longer than they may")
  func spacing() throws {
    var budget = budget()
    #expect(budget.ask("a", weight: 1, queueFor: seconds(0.3), now: at(0)) == .granted)
    var tickets: [UpstreamBudget.Ticket] = []
    for place in 1...3 {
      let turn = budget.ask("a", weight: 1, queueFor: seconds(0.3), now: at(0))
      tickets.append(try ticket(turn))
      #expect(turn == .waiting(tickets[place - 1], nanoseconds: seconds(0.1 * Double(place))))
    }
    #expect(
      budget.ask("a", weight: 1, queueFor: seconds(0.3), now: at(0)) == .refused(retryAfter: seconds(0.4)))
    for (place, ticket) in tickets.enumerated() {
      let turn = 0.1 * Double(place + 1)
      #expect(budget.look(for: ticket, now: at(turn - 0.01)) != .granted)
      #expect(budget.look(for: ticket, now: at(turn + 0.001)) == .granted)
    }
  }

  @Test("is first-come within a tenant")
  func order() throws {
    var budget = budget()
    _ = budget.ask("a", weight: 1, queueFor: 0, now: at(0))
    let first = try ticket(budget.ask("a", weight: 1, queueFor: seconds(1), now: at(0)))
    let second = try ticket(budget.ask("a", weight: 1, queueFor: seconds(1), now: at(0)))
    // The later one looks first, and one that comes now stands behind both.
    #expect(budget.look(for: second, now: at(0.101)) != .granted)
    #expect(budget.ask("a", weight: 1, queueFor: 0, now: at(0.101)) != .granted)
    #expect(budget.look(for: first, now: at(0.102)) == .granted)
    #expect(budget.look(for: second, now: at(0.201)) == .granted)
  }

  @Test("lets a newcomer in before what another tenant has queued beyond its share")
  func newcomer() throws {
    var budget = budget()
    _ = budget.ask("a", weight: 1, queueFor: 0, now: at(0))
    for _ in 0..<20 { _ = budget.ask("a", weight: 1, queueFor: seconds(2), now: at(0)) }
    let light = try ticket(budget.ask("b", weight: 1, queueFor: seconds(2), now: at(0)))
    // Every 10 ms, as those that wait look together.
    let turns = (1...25).map { budget.look(for: light, now: at(0.01 * Double($0))) }
    #expect(turns.contains(.granted))
  }

  @Test("serves a tenant that asks little at once, however much another has queued", arguments: [0, 0.05, 2])
  func noStarvation(queueFor: Double) {
    let granted = simulate(
      [
        Caller(tenant: "flood", requestsPerSecond: 1000), Caller(tenant: "light", requestsPerSecond: 2),
      ], queueFor: seconds(queueFor))
    #expect(granted["light", default: []].count >= 118)
  }

  @Test("ends with the time that a request may wait")
  func deadline() throws {
    var budget = budget(1)
    _ = budget.ask("a", weight: 1, queueFor: 0, now: at(0))
    let waiting = try ticket(budget.ask("a", weight: 1, queueFor: seconds(1), now: at(0)))
    budget.change(to: .init(requestsPerSecond: 0.1, burst: 1, adaptive: false), now: at(0.5))
    guard case .refused(let wait) = budget.look(for: waiting, now: at(1.001)) else {
      Issue.record("waits for longer than it may")
      return
    }
    #expect(wait > 0)
    #expect(budget.look(for: waiting, now: at(1.002)) == .refused(retryAfter: 0))
  }

  @Test("forgets a request that leaves, and gives its turn to the next")
  func leaving() throws {
    var budget = budget()
    _ = budget.ask("a", weight: 1, queueFor: 0, now: at(0))
    let first = try ticket(budget.ask("a", weight: 1, queueFor: seconds(1), now: at(0)))
    let second = try ticket(budget.ask("a", weight: 1, queueFor: seconds(1), now: at(0)))
    budget.leave(first)
    #expect(budget.look(for: second, now: at(0.101)) == .granted)
  }

  @Test("holds a bounded number of requests")
  func bounded() {
    var budget = budget(1_000_000, burst: 1)
    let turns = (0..<10_000).map { _ in budget.ask("a", weight: 1, queueFor: seconds(60), now: at(0)) }
    let waiting = turns.count { if case .waiting = $0 { true } else { false } }
    #expect(waiting == 4096)
  }

  @Test("takes other numbers for those that wait already")
  func change() throws {
    var budget = budget(0.1)
    _ = budget.ask("a", weight: 1, queueFor: 0, now: at(0))
    let waiting = try ticket(budget.ask("a", weight: 1, queueFor: seconds(20), now: at(0)))
    budget.change(to: .init(requestsPerSecond: 10, burst: 1, adaptive: false), now: at(0))
    #expect(budget.look(for: waiting, now: at(0.11)) == .granted)
  }
}
