import Primitives
import TestSupport
import Testing

@testable import RateLimiting

@Suite("Forwarding a request")
struct ForwardingMachineTests {
  typealias Machine = ForwardingMachine

  /// Always the longest wait.
  private struct Longest: Entropy {
    func next() -> UInt64 { .max }
  }

  private func machine(
    attempts: Int = 3, until deadline: Double = 10, isRepeatable: Bool = true
  ) -> Machine {
    Machine(
      .init(
        attempts: attempts, deadline: at(deadline), isRepeatable: isRepeatable,
        backoff: Backoff(baseNanoseconds: seconds(0.1), capNanoseconds: seconds(1))))
  }

  private func end(
    _ machine: inout Machine, _ end: Machine.AttemptEnd, at time: Double = 0, budget: Bool = true
  ) -> Machine.Action {
    machine.ended(end, now: at(time), entropy: Longest(), withdraw: { budget })
  }

  @Test("gives a final answer at once", arguments: [200, 201, 204, 400, 403, 404, 409, 501])
  func answers(status: Int) {
    var machine = machine()
    #expect(machine.begin(now: at(0)) == .send)
    let action = machine.ended(
      .answered(status: status), now: at(0), entropy: Longest(),
      withdraw: {
        Issue.record("there is nothing to pay for")
        return true
      })
    #expect(action == .answer)
    #expect(machine.attempts == 1)
    #expect(machine.traces == .none)
  }

  @Test(
    "waits, takes a turn anew and sends again after what may go better",
    arguments: [
      (.answered(status: 429), .throttled), (.answered(status: 500), .serverError),
      (.answered(status: 503), .serverError), (.notSent, .connect), (.lost, .lostAnswer),
    ] as [(Machine.AttemptEnd, RetryReason)])
  func retries(end first: Machine.AttemptEnd, reason: RetryReason) {
    var machine = machine()
    #expect(machine.begin(now: at(0)) == .send)
    #expect(end(&machine, first) == .wait(nanoseconds: seconds(0.1), reason))
    #expect(machine.waited(now: at(0.1)) == .takeTurn)
    #expect(machine.turnTaken(now: at(0.1)) == .send)
    #expect(end(&machine, .answered(status: 201)) == .answer)
    #expect(machine.attempts == 2)
  }

  @Test("doubles the wait, and stops after its attempts with the last answer")
  func exhausts() {
    var machine = machine()
    _ = machine.begin(now: at(0))
    #expect(end(&machine, .answered(status: 500)) == .wait(nanoseconds: seconds(0.1), .serverError))
    _ = machine.waited(now: at(1))
    _ = machine.turnTaken(now: at(1))
    #expect(end(&machine, .answered(status: 429)) == .wait(nanoseconds: seconds(0.2), .throttled))
    _ = machine.waited(now: at(2))
    _ = machine.turnTaken(now: at(2))
    #expect(end(&machine, .answered(status: 500)) == .answer)
    #expect(machine.attempts == 3)
  }

  @Test("never sends again what may have arrived and upstream would not recognise")
  func unrepeatable() {
    for end in [Machine.AttemptEnd.answered(status: 500), .answered(status: 429)] {
      var machine = machine(isRepeatable: false)
      _ = machine.begin(now: at(0))
      #expect(self.end(&machine, end) == .answer)
    }
    var lost = machine(isRepeatable: false)
    _ = lost.begin(now: at(0))
    #expect(end(&lost, .lost) == .refuse(.lost))
    var unsent = machine(isRepeatable: false)
    _ = unsent.begin(now: at(0))
    #expect(end(&unsent, .notSent) == .wait(nanoseconds: seconds(0.1), .connect))
  }

  @Test("says what is known when there is no answer")
  func failures() {
    let ends: [(Machine.AttemptEnd, alone: Machine.Failure, afterLoss: Machine.Failure)] = [
      (.notSent, .unreachable, .lost), (.lost, .lost, .lost), (.unreadable, .unreadable, .unreadable),
      (.timedOut(sent: false), .tooSlow(sent: false), .tooSlow(sent: true)),
      (.timedOut(sent: true), .tooSlow(sent: true), .tooSlow(sent: true)),
    ]
    for (end, alone, afterLoss) in ends {
      var single = machine(attempts: 1)
      _ = single.begin(now: at(0))
      #expect(self.end(&single, end) == .refuse(alone), "\(end)")
      var second = machine(attempts: 2)
      _ = second.begin(now: at(0))
      _ = self.end(&second, .lost)
      _ = second.waited(now: at(0.1))
      _ = second.turnTaken(now: at(0.1))
      #expect(self.end(&second, end) == .refuse(afterLoss), "\(end) after a loss")
      #expect(second.mayHaveArrived)
    }
  }

  @Test("does not wait beyond its deadline, or without the budget for a retry")
  func bounds() {
    var late = machine(until: 0.1)
    _ = late.begin(now: at(0))
    #expect(end(&late, .answered(status: 500)) == .answer)
    var unpaid = machine()
    _ = unpaid.begin(now: at(0))
    #expect(end(&unpaid, .answered(status: 500), budget: false) == .answer)
    var unpaidLoss = machine()
    _ = unpaidLoss.begin(now: at(0))
    #expect(end(&unpaidLoss, .notSent, budget: false) == .refuse(.unreachable))
    var before = machine(until: 0)
    #expect(before.begin(now: at(0)) == .refuse(.tooSlow(sent: false)))
    #expect(before.attempts == 0)
  }

  @Test("ends in the last answer when the turn is refused, else without one")
  func turnRefused() {
    let ends: [(Machine.AttemptEnd, Machine.Action)] = [
      (.answered(status: 500), .answer), (.answered(status: 429), .answer), (.lost, .refuse(.lost)),
      (.notSent, .refuse(.unreachable)),
    ]
    for (end, expected) in ends {
      var machine = machine()
      _ = machine.begin(now: at(0))
      _ = self.end(&machine, end)
      _ = machine.waited(now: at(0.1))
      #expect(machine.turnRefused() == expected, "\(end)")
    }
  }

  @Test("has credentials refreshed once, which is none of its attempts and costs no retry")
  func expiredCredentials() {
    for isRepeatable in [true, false] {
      var machine = machine(attempts: 1, isRepeatable: isRepeatable)
      _ = machine.begin(now: at(0))
      #expect(end(&machine, .credentialsExpired, budget: false) == .refreshCredentials)
      #expect(machine.refreshed(now: at(1)) == .takeTurn)
      #expect(machine.turnTaken(now: at(1)) == .send)
      #expect(end(&machine, .credentialsExpired, budget: false) == .answer)
      #expect(machine.attempts == 2 && machine.traces == .none)
    }
    var both = machine(attempts: 2)
    _ = both.begin(now: at(0))
    _ = end(&both, .credentialsExpired)
    _ = both.refreshed(now: at(0))
    _ = both.turnTaken(now: at(0))
    #expect(end(&both, .lost) == .wait(nanoseconds: seconds(0.1), .lostAnswer), "an attempt is left")
    var none = machine()
    _ = none.begin(now: at(0))
    _ = end(&none, .credentialsExpired)
    #expect(none.notRefreshed() == .answer)
    var late = machine(until: 1)
    _ = late.begin(now: at(0))
    _ = end(&late, .credentialsExpired)
    #expect(late.refreshed(now: at(2)) == .answer)
  }

  @Test("ends when waiting took longer than it may")
  func overslept() {
    var answered = machine()
    _ = answered.begin(now: at(0))
    _ = end(&answered, .answered(status: 503))
    #expect(answered.waited(now: at(11)) == .answer)
    var lost = machine()
    _ = lost.begin(now: at(0))
    _ = end(&lost, .lost)
    _ = lost.waited(now: at(1))
    #expect(lost.turnTaken(now: at(10)) == .refuse(.tooSlow(sent: true)))
    #expect(lost.attempts == 1)
  }

  @Test("keeps its promises whatever happens", arguments: 1...20 as ClosedRange<UInt64>)
  func anyCourse(seed: UInt64) {
    let entropy = SeededEntropy(seed: seed)
    for _ in 0..<500 {
      var course = Course(entropy)
      course.run()
    }
  }
}

/// A random course of one request, with a plain account of what it has to come to.
private struct Course {
  typealias Machine = ForwardingMachine
  let entropy: SeededEntropy
  let isRepeatable: Bool
  let most: Int
  var machine: Machine
  var now = 0.0
  var ends: [Machine.AttemptEnd] = []
  var turns = 1
  var paid = 0
  var refreshes = 0
  let deadline: Double

  init(_ entropy: SeededEntropy) {
    self.entropy = entropy
    isRepeatable = entropy.next() % 2 == 0
    most = Int(entropy.next() % 5) + 1
    deadline = Double(entropy.next() % 4000) / 1000
    machine = Machine(
      .init(attempts: most, deadline: at(deadline), isRepeatable: isRepeatable))
  }

  mutating func run() {
    var action = machine.begin(now: at(now))
    while true {
      pass(0.5)
      switch action {
      case .send:
        #expect(ends.count < most + refreshes && turns == ends.count + 1, "each attempt has its turn")
        #expect(
          ends.allSatisfy {
            isRepeatable || $0 == .notSent || $0 == .timedOut(sent: false) || $0 == .credentialsExpired
          })
        let end = randomEnd()
        ends.append(end)
        var withdrawn = 0
        let hasBudget = entropy.next() % 4 > 0
        action = machine.ended(
          end, now: at(now), entropy: entropy,
          withdraw: {
            withdrawn += 1
            return hasBudget
          })
        if case .wait = action { paid += 1 }
        #expect(withdrawn <= 1)
      case .wait(let nanoseconds, _):
        #expect(nanoseconds >= 0)
        now += Double(nanoseconds) / 1e9
        action = machine.waited(now: at(now))
      case .refreshCredentials:
        #expect(ends.last == .credentialsExpired && refreshes == 0)
        if entropy.next() % 3 == 0 {
          action = machine.notRefreshed()
        } else {
          refreshes += 1
          action = machine.refreshed(now: at(now))
        }
      case .takeTurn:
        if entropy.next() % 3 == 0 {
          action = machine.turnRefused()
        } else {
          action = machine.turnTaken(now: at(now))
          if action == .send { turns += 1 }
        }
      case .answer:
        switch ends.last {
        case .answered, .credentialsExpired: return check(nil)
        default:
          Issue.record("there is no answer to give")
          return
        }
      case .refuse(let failure): return check(failure)
      }
    }
  }

  private func check(_ failure: Machine.Failure?) {
    #expect(machine.attempts == ends.count)
    #expect(ends.count <= paid + refreshes + 1)
    let before = failure == nil ? ends.dropLast() : ends[...]
    let mayHaveArrived = before.contains {
      $0 != .notSent && $0 != .timedOut(sent: false) && $0 != .credentialsExpired
    }
    if let failure {
      let effect = ForwardingEffect(unanswered: failure)
      #expect((effect == .notForwarded) == !mayHaveArrived)
      return
    }
    let wasLost = before.contains { $0 == .lost || $0 == .timedOut(sent: true) }
    #expect((machine.traces == .lost) == wasLost)
  }

  private mutating func pass(_ most: Double) { now += Double(entropy.next() % 1000) / 1000 * most }

  private func randomEnd() -> Machine.AttemptEnd {
    switch entropy.next() % 14 {
    case 12, 13: .credentialsExpired
    case 0: .answered(status: 201)
    case 1: .answered(status: 400)
    case 2, 3: .answered(status: 429)
    case 4, 5: .answered(status: 500)
    case 6, 7: .notSent
    case 8, 9: .lost
    case 10: .unreadable
    default: .timedOut(sent: entropy.next() % 2 == 0)
    }
  }
}

@Suite("What was done upstream")
struct ForwardingEffectTests {
  @Test("is told by the last answer, and by what earlier attempts may have left")
  func answered() {
    let cases: [(Int, AttemptTraces, ForwardingEffect)] = [
      (201, .none, .succeeded), (200, .lost, .succeeded), (204, .failed, .succeeded),
      (400, .none, .rejected), (409, .failed, .unknown), (409, .lost, .unknown),
      (503, .none, .failed), (500, .failed, .failed), (500, .lost, .unknown), (302, .none, .rejected),
    ]
    for (status, traces, expected) in cases {
      #expect(
        ForwardingEffect(answered: status, after: traces, isRead: false) == expected,
        "\(status) after \(traces)")
      let ofRead = ForwardingEffect(answered: status, after: traces, isRead: true)
      #expect(ofRead == ForwardingEffect(answered: status, after: .none, isRead: false))
    }
  }

  @Test("is unknown without an answer, unless nothing was sent")
  func unanswered() {
    let cases: [(ForwardingMachine.Failure, ForwardingEffect)] = [
      (.unreachable, .notForwarded), (.tooSlow(sent: false), .notForwarded),
      (.tooSlow(sent: true), .unknown), (.lost, .unknown), (.unreadable, .unknown),
    ]
    for (failure, expected) in cases { #expect(ForwardingEffect(unanswered: failure) == expected) }
  }
}
