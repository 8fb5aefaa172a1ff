import Primitives
import Testing

@testable import AuditStore

@Suite struct CommitQueueTests {
  private typealias Queue = CommitQueue<Int>

  private func batch(of queue: inout Queue) -> [String] {
    take(&queue).flatMap(\.texts)
  }

  private func take(_ queue: inout Queue) -> [Queue.Bundle] {
    var batch: [Queue.Bundle] = []
    queue.takeBatch(into: &batch)
    return batch
  }

  @Test func whatGathersWhileTheWriterWorksIsOneBatchWithoutASignal() {
    var queue = Queue()
    for waiter in 1...5 { #expect(!queue.add(bundle("i\(waiter)")).mustSignal) }
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == ["i1", "i2", "i3", "i4", "i5"])
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
  }

  @Test func restingWriterIsSignalledOnceForIntents() {
    var queue = Queue()
    _ = queue.nextStep(hasRested: false)
    #expect(queue.add(bundle("o1", "i1", "o2")).mustSignal)
    #expect(!queue.add(bundle("i2")).mustSignal)
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == ["o1", "i1", "o2", "i2"])
  }

  @Test func outcomesWaitForOneRestOrTheNextIntent() {
    var queue = Queue()
    _ = queue.nextStep(hasRested: false)
    #expect(!queue.add(bundle("o1")).mustSignal, "a resting writer wakes by itself")
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
    #expect(queue.nextStep(hasRested: true) == .write)
    #expect(batch(of: &queue) == ["o1"])
    #expect(!queue.add(bundle("o2")).mustSignal)
    #expect(!queue.add(bundle("i7")).mustSignal)
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == ["o2", "i7"])
  }

  @Test func outcomesOfOneLoopGoToItsLastBundle() {
    let home = RecordAnswers { _ in }
    let other = RecordAnswers { _ in }
    var queue = Queue()
    #expect(queue.add(bundle("o1", "i1", home: home)).isTaken)
    #expect(!queue.add(bundle("o2", "o3", home: home)).isTaken, "they were copied")
    #expect(queue.add(bundle("i2", "o4", home: home)).isTaken)
    #expect(queue.add(bundle("o5", home: other)).isTaken)
    #expect(!queue.add(bundle("o6", home: other)).isTaken)
    #expect(queue.add(bundle("o7", home: home)).isTaken)
    #expect(queue.count == 9 && queue.outcomes == 7)
    let batch = take(&queue)
    #expect(batch.map(\.texts) == [["o1", "i1", "o2", "o3"], ["i2", "o4"], ["o5", "o6"], ["o7"]])
    #expect(batch.map(\.waiters) == [[1], [2], [], []])
  }

  @Test func idleWriterFallsAsleepAndAnOutcomeWakesIt() {
    var queue = Queue()
    var rests = 0
    while queue.nextStep(hasRested: rests > 0) != .sleep { rests += 1 }
    #expect((10...1000).contains(rests))
    #expect(queue.add(bundle("o1")).mustSignal)
    #expect(!queue.add(bundle("i1")).mustSignal)
  }

  @Test func failedOutcomesAreTriedAgainFirstAndIntentsAreNot() {
    var queue = Queue()
    _ = queue.add(bundle("o1", "i2"))
    let failed = take(&queue)
    _ = queue.add(bundle("o3"))
    queue.endBatch()
    #expect(queue.failed(failed) == 0)
    #expect(queue.outcomes == 2)
    #expect(failed[0].waiters == [2], "it is still to be told")
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.retryAfter))
    #expect(queue.nextStep(hasRested: true) == .write)
    #expect(batch(of: &queue) == ["o1", "o3"])
    queue.succeeded()
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
  }

  @Test func failureLeavesTheIntentsThatCameMeanwhile() {
    var queue = Queue()
    _ = queue.add(bundle("i1"))
    let failed = take(&queue)
    _ = queue.add(bundle("o1", "i2", "o2", "i3"))
    queue.endBatch()
    #expect(queue.failed(failed) == 0)
    #expect(queue.count == 4 && queue.outcomes == 2)
    #expect(queue.nextStep(hasRested: false) == .write)
    let batch = take(&queue)
    #expect(batch.map(\.texts) == [["o1", "o2"], ["i2", "i3"]])
    #expect(batch.map(\.waiters) == [[], [2, 3]])
  }

  @Test func intentsAreNotKeptWaitingByABacklog() {
    var queue = Queue()
    for _ in 0..<5000 { _ = queue.add(bundle("o1")) }
    let first = take(&queue)
    queue.endBatch()
    _ = queue.failed(first)
    _ = queue.add(bundle("i1"))
    #expect(queue.nextStep(hasRested: false) == .write)
    let second = take(&queue)
    let texts = second.flatMap(\.texts)
    #expect(texts.contains("i1"))
    #expect(texts.count < 100, "a try that will probably fail is small")
    queue.endBatch()
    _ = queue.failed(second)
    queue.succeeded()
    var written = 0
    while queue.nextStep(hasRested: false) == .write { written += batch(of: &queue).count }
    #expect(written == 5000)
  }

  @Test func closedQueueIsEmptiedAndThenStops() {
    var queue = Queue()
    _ = queue.add(bundle("o1"))
    queue.close()
    let refused = queue.add(bundle("o2", "i1", "o3"))
    #expect(refused.refused == [1] && refused.lostOutcomes == 2 && !refused.isTaken)
    #expect(queue.add(bundle("o4"), isFromWriter: true).isTaken)
    #expect(queue.nextStep(hasRested: false) == .write)
    let batch = take(&queue)
    queue.endBatch()
    #expect(queue.failed(batch) == 2, "there is no second try at the end")
    #expect(queue.nextStep(hasRested: false) == .stop)
  }

  @Test func outcomesTakeNoMoreThanTheirShareOfMemory() {
    var queue = Queue()
    let large = "o" + String(repeating: "x", count: 1 << 20 - 1)
    for _ in 0..<15 { #expect(queue.add(bundle(large)).isTaken) }
    let last = queue.add(bundle(large, "i1", large, "o"))
    #expect(last.lostOutcomes == 2, "what fits is kept: one large outcome")
    #expect(last.isTaken)
    let beyond = queue.add(bundle(large, "i2"))
    #expect(
      beyond.isTaken && beyond.lostOutcomes == 1, "intents are bounded by the connections that wait for them")
    #expect(take(&queue).map(\.waiters).flatMap { $0 } == [1, 2])
    #expect(queue.add(bundle(large)).isTaken)
  }

  @Test func largeQueueIsTakenInBatches() {
    var queue = Queue()
    let all = (0..<2500).map { $0.isMultiple(of: 2) ? "i\($0)" : "o\($0)" }
    for record in all { _ = queue.add(bundle(record)) }
    var taken: [[String]] = []
    while queue.nextStep(hasRested: true) == .write { taken.append(batch(of: &queue)) }
    #expect(taken.flatMap { $0 } == all)
    #expect(taken.allSatisfy { $0.count <= 1024 })
    #expect(queue.count == 0 && queue.outcomes == 0)
  }

  @Test func thoseWhoWaitForASilentDiskAreToldOnceAndTheirIntentsMayComeLate() {
    var queue = Queue()
    _ = queue.add(bundle("i1", "o1", "i2"))
    _ = queue.nextStep(hasRested: false)
    let inFlight = take(&queue)
    _ = queue.add(bundle("o2", "i3"))
    #expect(queue.watch(now: .init(nanoseconds: 0), timeout: 10) == nil)
    let told = queue.watch(now: .init(nanoseconds: 10), timeout: 10) ?? []
    #expect(told.map(\.waiter) == [1, 2, 3])
    #expect(told.map { $0.late != nil } == [true, true, false])
    #expect(inFlight[0].waiters == [] && inFlight[0].texts == ["i1", "o1", "i2"])
    var places: [Int] = []
    inFlight[0].forEachLate { late, place in
      #expect(late === told[places.count].late)
      places.append(place)
    }
    #expect(places == [0, 2])
    queue.endBatch()
    queue.succeeded()
    #expect(queue.nextStep(hasRested: true) == .write)
    #expect(batch(of: &queue) == ["o2"], "what was not begun is not written")
  }
}
