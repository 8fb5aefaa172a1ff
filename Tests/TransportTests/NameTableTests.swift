import Testing

@testable import Transport

private let second: Int64 = 1_000_000_000
private let old: [SocketAddress.Host] = [.v4(0x0A00_0001)]
private let new: [SocketAddress.Host] = [.v4(0x0A00_0002)]

/// A table whose waiters are numbers, and the time.
private struct Names {
  var table = NameTable<Int>()
  var now: Int64 = 100 * second
  var waiters = 0

  mutating func ask(_ name: String = "a.example") -> (use: [SocketAddress.Host]?, step: NameTable<Int>.Step) {
    let step = table.ask(name, now: now) {
      waiters += 1
      return waiters
    }
    if case .use(let hosts) = step.verdict { return (hosts, step) }
    return (nil, step)
  }

  @discardableResult
  mutating func end(
    _ result: Result<[SocketAddress.Host], NameFailure>, name: String = "a.example", begun: Int64? = nil
  ) -> (told: [Int], result: Result<[SocketAddress.Host], NameFailure>) {
    table.ended(name, result, begun: begun ?? now, now: now)
  }

  static func answering(_ hosts: [SocketAddress.Host]) -> Names {
    var names = Names()
    _ = names.ask()
    names.end(.success(hosts))
    return names
  }
}

extension NameTable<Int>.Step {
  fileprivate var failure: NameFailure? { if case .failed(let failure) = verdict { failure } else { nil } }
  fileprivate var waits: Bool { if case .wait = verdict { true } else { false } }
}

@Suite struct NameTableTests {
  @Test func oneLookupServesAllWhoWait() {
    var names = Names()
    #expect(names.ask().step.begins)
    let second = names.ask().step
    #expect(!second.begins && second.waits)
    let end = names.end(.success(old))
    #expect(end.told.sorted() == [1, 2])
    #expect(end.result == .success(old))
    #expect(names.ask().use == old)
  }

  @Test func anAnswerIsUsedWithoutAQuestionAndThenWithOneBehindIt() {
    var names = Names.answering(old)
    names.now += NameTable<Int>.freshness - 1
    #expect(!names.ask().step.begins)
    names.now += 1
    let late = names.ask()
    #expect(late.use == old && late.step.begins)
    names.end(.success(new))
    #expect(names.ask().use == new)
  }

  @Test func anOldAnswerServesWhileNoServerCanBeAsked() {
    var names = Names.answering(old)
    for _ in 1...5 {
      names.now += 1000 * second
      #expect(names.ask().step.waits, "so old that a new one is waited for")
      #expect(names.end(.failure(.unavailable("down"))).result == .success(old))
      #expect(names.ask().use == old)
    }
  }

  @Test func aNameThatIsNoMoreIsNotAnsweredFromMemory() {
    var names = Names.answering(old)
    names.now += 1000 * second
    _ = names.ask()
    let gone = NameFailure.unknown("no such name")
    #expect(names.end(.failure(gone)).result == .failure(gone))
    #expect(names.ask().step.failure == gone)
  }

  @Test func aFailureIsToldForAMomentAndThenAskedAgain() {
    var names = Names()
    _ = names.ask()
    names.end(.failure(.unavailable("down")))
    let soon = names.ask().step
    #expect(!soon.begins && soon.failure == .unavailable("down"))
    names.now += NameTable<Int>.failureFreshness
    #expect(names.ask().step.begins)
    names.end(.success(new))
    #expect(names.ask().use == new, "a resolver that was corrected is followed")
  }

  @Test func lookupsThatDoNotEndDoNotPileUp() {
    var names = Names()
    var begun = 0
    for _ in 0..<1000 {
      names.now += second
      if names.ask().step.begins { begun += 1 }
    }
    #expect(begun == NameTable<Int>.mostForAName)
    for name in 0..<100 where names.ask("\(name).example").step.begins { begun += 1 }
    #expect(begun == NameTable<Int>.mostInAll)
    #expect(names.ask("101.example").step.failure == .tooManyLookups, "nobody waits for what nobody looks up")
  }

  @Test func aSecondLookupOvertakesOneThatHangsAndItsEndChangesNothing() {
    var names = Names()
    let first = names.now
    _ = names.ask()
    names.now += NameTable<Int>.secondLookupAfter
    #expect(names.ask().step.begins)
    names.end(.success(new))
    names.now += second
    #expect(names.end(.failure(.unavailable("timed out")), begun: first).result == .success(new))
    #expect(names.ask().use == new)
  }

  @Test func whoGaveUpIsNotTold() {
    var names = Names()
    guard case .wait(let ticket) = names.ask().step.verdict else {
      Issue.record("it need not wait")
      return
    }
    names.table.leave(ticket)
    #expect(names.end(.success(old)).told == [])
  }
}
