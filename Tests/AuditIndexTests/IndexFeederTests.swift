import AuditTrail
import GRDB
import Glibc
import Synchronization
import Testing

@testable import AuditIndex

@Suite struct IndexFeederTests {
  /// Runs a feeder on this thread until it has told as much as `isEnough` wants.
  private func events(
    of journal: WrittenJournal, start: Int, last: Int,
    _ isEnough: @escaping @Sendable ([IndexFeeder.Event]) -> Bool
  ) -> [IndexFeeder.Event] {
    let told = Told()
    let feeder = IndexFeeder(
      directory: journal.path, startSequence: start, lastSequence: { last }, periodAfterFailure: 1
    ) { event in
      let all = told.add(event)
      if isEnough(all) { told.feeder.withLock { $0?.stop() } }
    }
    told.feeder.withLock { $0 = feeder }
    feeder.run()
    told.feeder.withLock { $0 = nil }
    return told.all
  }

  private final class Told: Sendable {
    let feeder = Mutex<IndexFeeder?>(nil)
    private let events = Mutex<[IndexFeeder.Event]>([])

    var all: [IndexFeeder.Event] { events.withLock { $0 } }

    func add(_ event: IndexFeeder.Event) -> [IndexFeeder.Event] {
      events.withLock { events in
        events.append(event)
        return events
      }
    }
  }

  @Test func whatIsOpenFromBeforeTheStartIsCountedOnceAndWhatMayBeLostIsLeft() throws {
    let journal = try WrittenJournal()
    try journal.intend(1)
    try journal.conclude(1, .created)
    try journal.intend(2)
    try journal.intend(3)
    try journal.conclude(3, .unknown)
    // Since the start: its outcome is still to come. The one after it is not on disk yet.
    try journal.intend(4)
    try journal.intend(5)
    #expect(events(of: journal, start: 5, last: 6) { !$0.isEmpty } == [.caughtUp(unknown: 2)])
    let index = try JournalIndex(directory: journal.path)
    try index.update(upTo: 6)
    #expect(index.lastSequence == 6)
    #expect(events(of: journal, start: 7, last: 7) { !$0.isEmpty } == [.caughtUp(unknown: 4)])
  }

  @Test func longJournalIsIndexedInManyTransactions() throws {
    let journal = try WrittenJournal()
    for segment in 0..<5 {
      for number in 1...200 { try journal.only(200 * segment + number) }
      journal.rotate()
    }
    try journal.only(1001)
    #expect(events(of: journal, start: 1001, last: 1001) { !$0.isEmpty } == [.caughtUp(unknown: 0)])
    let zones = try IndexFile(in: journal.path).queue.read {
      try Int.fetchOne($0, sql: "SELECT count(*) FROM zone")
    }
    #expect(zones == 5, "what a segment has is whole when another follows")
  }

  @Test func failureIsToldOnceAndOvercome() throws {
    let journal = try WrittenJournal()
    try journal.intend(1)
    let folder = "\(journal.path)/index.sqlite"
    mkdir(folder, 0o700)
    let tries = Mutex(0)
    let told = Told()
    let feeder = IndexFeeder(
      directory: journal.path, startSequence: 1, lastSequence: { 1 }, periodAfterFailure: 1
    ) { event in
      _ = told.add(event)
      if case .failed = event { tries.withLock { $0 += 1 } }
      rmdir(folder)
      if event == .recovered { told.feeder.withLock { $0?.stop() } }
    }
    told.feeder.withLock { $0 = feeder }
    feeder.run()
    told.feeder.withLock { $0 = nil }
    #expect(tries.withLock { $0 } == 1)
    #expect(told.all.dropFirst() == [.caughtUp(unknown: 1), .recovered])
  }

  @Test func stoppedFeederEndsAtOnce() throws {
    let journal = try WrittenJournal()
    try journal.only(1)
    let feeder = IndexFeeder(directory: journal.path, startSequence: 1, lastSequence: { 1 }) { event in
      Issue.record("told \(event)")
    }
    feeder.stop()
    feeder.run()
  }

  @Test func fileThatAnotherReplacedIsOpenedAnew() throws {
    let journal = try WrittenJournal()
    try journal.only(1)
    let index = try JournalIndex(directory: journal.path)
    try index.update()
    JournalIndex.remove(in: journal.path)
    try journal.only(2)
    try index.update()
    #expect(index.lastSequence == 2)
    #expect(access("\(journal.path)/index.sqlite", F_OK) == 0)
  }
}
