import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditStore

/// A clock that is wrong removes nothing that is to be kept.
@Suite struct RetentionClockTests {
  private static let day: Int64 = 86_400_000_000_000

  private func instant(_ days: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: days * Self.day) }
  private func time(_ days: Int64) -> WallClockTime { WallClockTime(nanoseconds: days * Self.day) }

  @Test func clockThatIsAheadIsFollowedAsFarAsAPauseIsPlausible() {
    var clock = RetentionClock(
      lastTime: time(20_000), keptNanoseconds: 400 * Self.day, now: instant(0), wallClock: time(20_401))
    let first = clock.time(time(20_401), at: instant(0))
    #expect(first.0 == time(20_007))
    let ahead: Int64? = 394 * 86_400
    #expect(first.toldAhead == ahead)
    let second = clock.time(time(20_402), at: instant(1))
    #expect(second.0 == time(20_008), "time passes")
    #expect(second.toldAhead == nil, "it is told once")
    #expect(clock.time(time(20_003), at: instant(2)).0 == time(20_003), "the clock was set right")
  }

  @Test func clockThatJumpsLaterIsNotFollowedEither() {
    var clock = RetentionClock(
      lastTime: time(20_000), keptNanoseconds: 400 * Self.day, now: instant(0), wallClock: time(20_000))
    #expect(clock.time(time(20_100), at: instant(100)).0 == time(20_100), "it ran all the time")
    #expect(clock.time(time(20_500), at: instant(100)).0 == time(20_107))
  }

  @Test func shortRetentionAllowsAShorterPause() {
    var clock = RetentionClock(
      lastTime: time(20_000), keptNanoseconds: 4 * Self.day, now: instant(0), wallClock: time(20_003))
    #expect(clock.time(time(20_003), at: instant(0)).0 == time(20_001))
  }

  /// Segments of one record each, of one day each, that end with today's.
  private func journal(days: Int64, today: Int64) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    for day in 0...days {
      files.now = (today - days + day) * 86_400
      let time = time(today - days + day).rfc3339
      try writer.append([
        Array(#""record":"outcome","requestId":"\#(day)","time":"\#(time)","decision":"denied"}"#.utf8)
      ])
      if day < days { try writer.finishSegment() }
    }
    try writer.close()
    return files
  }

  @Test func oneStartWithTheClockAheadRemovesNothing() throws {
    let files = try journal(days: 12, today: 20_000)
    var settings = Journal.Settings(directory: "")
    settings.retainNanoseconds = 400 * Self.day
    let ahead = time(20_401)
    let events = EventLog()
    let shared = JournalShared(clock: StoppedClock(at: ahead)) { events.add($0) }
    let writer = try Journal.recover(settings, shared: shared, clock: StoppedClock(at: ahead), files: files).0
    try writer.removeExpired(now: ahead)
    writer.finish()
    #expect(try JournalListing(files).segments.count == 13)
    #expect(events.all.contains(.clockNotFollowed(secondsAhead: 394 * 86_400)))
    #expect(try JournalVerification(of: files).problem == nil)
  }

  @Test func whatIsRemovedIsToldAndNotAllAtOnce() throws {
    let files = try journal(days: 12, today: 20_000)
    var settings = Journal.Settings(directory: "")
    settings.retainNanoseconds = 2 * Self.day
    let events = EventLog()
    let clock = StoppedClock(at: time(20_000))
    let shared = JournalShared(clock: clock) { events.add($0) }
    let writer = try Journal.recover(settings, shared: shared, clock: clock, files: files).0
    let size = writer.segments.size
    try writer.removeExpired(now: clock.wallClock())
    #expect(try JournalListing(files).segments.count == 7, "of 12 that are ended, 10 too old, half")
    #expect(writer.segments.size < size)
    try writer.removeExpired(now: clock.wallClock())
    try writer.removeExpired(now: clock.wallClock())
    #expect(try JournalListing(files).segments.first?.firstSequence == 11)
    let removed = events.all.compactMap { if case .expired(let expired) = $0 { expired } else { nil } }
    #expect(removed.map { $0.segments.count }.reduce(0, +) == 10)
    let left = try JournalListing(files).segments.reduce(0) { $0 + (files.bytes(of: $1.file)?.count ?? 0) }
    #expect(writer.segments.size == left)
    writer.finish()
    #expect(try JournalVerification(of: files).problem == nil)
  }
}
