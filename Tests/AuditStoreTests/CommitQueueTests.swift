import Testing

@testable import AuditStore

@Suite struct CommitQueueTests {
  private typealias Queue = CommitQueue<Int>

  private func batch(of queue: inout Queue) -> [Int?] {
    var batch: [Queue.Entry] = []
    queue.takeBatch(into: &batch)
    return batch.map(\.waiter)
  }

  @Test func whatGathersWhileTheWriterWorksIsOneBatchWithoutASignal() {
    var queue = Queue()
    for waiter in 1...5 { #expect(queue.add(intent: [1], waiter) == .queued) }
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == [1, 2, 3, 4, 5])
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
  }

  @Test func restingWriterIsSignalledOnceForAnIntent() {
    var queue = Queue()
    _ = queue.nextStep(hasRested: false)
    #expect(queue.add(intent: [1], 1) == .queuedForSignal)
    #expect(queue.add(intent: [1], 2) == .queued)
  }

  @Test func unannouncedIntentsGatherUntilTheAnnouncement() {
    var queue = Queue()
    _ = queue.nextStep(hasRested: false)
    for waiter in 1...3 { #expect(queue.add(intent: [1], waiter, isAnnounced: false) == .queued) }
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger), "woken by something else")
    #expect(queue.announce() == true)
    #expect(queue.announce() == false, "one signal is enough")
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == [1, 2, 3])
    #expect(queue.announce() == false, "there is nothing to announce")
    #expect(queue.add(intent: [1], 4, isAnnounced: false) == .queued)
    #expect(queue.nextStep(hasRested: false) != .write, "an announcement is for what was there")
  }

  @Test func announcementWhileTheWriterWorksNeedsNoSignal() {
    var queue = Queue()
    #expect(queue.add(intent: [1], 1, isAnnounced: false) == .queued)
    #expect(queue.announce() == false)
    #expect(queue.nextStep(hasRested: false) == .write)
  }

  @Test func forgottenAnnouncementCostsARestAndNoMore() {
    var queue = Queue()
    while queue.nextStep(hasRested: true) != .sleep {}
    #expect(queue.add(intent: [1], 1, isAnnounced: false) == .queuedForSignal, "it would sleep on")
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
    #expect(queue.nextStep(hasRested: true) == .write)
    #expect(batch(of: &queue) == [1])
  }

  @Test func closedQueueWritesWhatWasNotAnnounced() {
    var queue = Queue()
    _ = queue.add(intent: [1], 1, isAnnounced: false)
    queue.close()
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == [1])
    #expect(queue.nextStep(hasRested: false) == .stop)
  }

  @Test func outcomesWaitForOneRestOrTheNextIntent() {
    var queue = Queue()
    _ = queue.nextStep(hasRested: false)
    #expect(queue.add(outcome: [1]) == .queued, "a resting writer wakes by itself")
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
    #expect(queue.nextStep(hasRested: true) == .write)
    #expect(batch(of: &queue) == [nil])
    #expect(queue.add(outcome: [1]) == .queued)
    #expect(queue.add(intent: [1], 7) == .queued)
    #expect(queue.nextStep(hasRested: false) == .write)
    #expect(batch(of: &queue) == [nil, 7])
  }

  @Test func idleWriterFallsAsleepAndAnOutcomeWakesIt() {
    var queue = Queue()
    var rests = 0
    while queue.nextStep(hasRested: rests > 0) != .sleep { rests += 1 }
    #expect((10...1000).contains(rests))
    #expect(queue.add(outcome: [1]) == .queuedForSignal)
  }

  @Test func failedOutcomesAreTriedAgainFirstAndIntentsAreNot() {
    var queue = Queue()
    _ = queue.add(outcome: [1])
    _ = queue.add(intent: [2], 1)
    var failed: [Queue.Entry] = []
    queue.takeBatch(into: &failed)
    _ = queue.add(outcome: [3])
    #expect(queue.failed(failed) == 0)
    #expect(queue.outcomes == 2)
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.retryAfter))
    #expect(queue.nextStep(hasRested: true) == .write)
    var again: [Queue.Entry] = []
    queue.takeBatch(into: &again)
    #expect(again.map(\.body) == [[1], [3]])
    queue.succeeded()
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: Queue.linger))
  }

  @Test func intentsAreNotKeptWaitingByABacklog() {
    var queue = Queue()
    for _ in 0..<5000 { _ = queue.add(outcome: [1]) }
    var batch: [Queue.Entry] = []
    queue.takeBatch(into: &batch)
    _ = queue.failed(batch)
    batch.removeAll()
    _ = queue.add(intent: [2], 1)
    #expect(queue.nextStep(hasRested: false) == .write)
    queue.takeBatch(into: &batch)
    #expect(batch.contains { $0.waiter == 1 })
    #expect(batch.count < 100, "a try that will probably fail is small")
    _ = queue.failed(batch)
    batch.removeAll()
    queue.succeeded()
    var written = 0
    while queue.nextStep(hasRested: false) == .write {
      queue.takeBatch(into: &batch)
      written += batch.count
      batch.removeAll()
    }
    #expect(written == 5000)
  }

  @Test func closedQueueIsEmptiedAndThenStops() {
    var queue = Queue()
    _ = queue.add(outcome: [1])
    queue.close()
    #expect(queue.add(outcome: [1]) == .refused)
    #expect(queue.add(intent: [1], 1) == .refused)
    #expect(queue.nextStep(hasRested: false) == .write)
    var batch: [Queue.Entry] = []
    queue.takeBatch(into: &batch)
    #expect(queue.failed(batch) == 1, "there is no second try at the end")
    #expect(queue.nextStep(hasRested: false) == .stop)
  }

  @Test func outcomesTakeNoMoreThanTheirShareOfMemory() {
    var queue = Queue()
    let body = [UInt8](repeating: 1, count: 1 << 20)
    var taken = 0
    while queue.add(outcome: body) != .refused { taken += 1 }
    #expect(taken == 16)
    #expect(
      queue.add(intent: body, 1) == .queued, "intents are bounded by the connections that wait for them")
    _ = batch(of: &queue)
    #expect(queue.add(outcome: body) != .refused)
  }

  @Test func largeQueueIsTakenInBatches() {
    var queue = Queue()
    for waiter in 0..<2500 {
      _ = waiter.isMultiple(of: 2) ? queue.add(intent: [1], waiter) : queue.add(outcome: [1])
    }
    var taken: [Int?] = []
    while queue.nextStep(hasRested: true) == .write { taken += batch(of: &queue) }
    #expect(taken == (0..<2500).map { $0.isMultiple(of: 2) ? $0 : nil })
    #expect(queue.count == 0 && queue.outcomes == 0)
  }
}
