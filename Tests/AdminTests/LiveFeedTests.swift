import Synchronization
import TestSupport
import Testing

@testable import Admin

@Suite struct EventRingTests {
  private func ring(_ count: Int, capacity: Int = 8) -> EventRing {
    var ring = EventRing(capacity: capacity)
    for id in 0..<count { ring.append(.init(id: 100 + id, bytes: [UInt8(id)])) }
    return ring
  }

  @Test func aWatcherGetsWhatCameSince() {
    let (events, skipped) = ring(5).events(behind: 2, atMost: 8)
    #expect(events.map(\.id) == [102, 103, 104])
    #expect(skipped == 0)
    #expect(ring(5).events(behind: 5, atMost: 8).events.isEmpty)
  }

  @Test func whoIsSlowGetsTheLatestAndIsToldOfTheRest() {
    let (events, skipped) = ring(100).events(behind: 10, atMost: 3)
    #expect(events.map(\.id) == [197, 198, 199])
    #expect(skipped == 87)
    let late = ring(100).events(behind: 0, atMost: 50)
    #expect(late.events.map(\.id) == Array(192..<200))
    #expect(late.skipped == 92)
  }

  @Test func whatWasNotMadeCounts() {
    for count in [3, 8, 9, 1000] {
      var ring = ring(2)
      ring.skip(count)
      ring.append(.init(id: 7, bytes: []))
      let (events, skipped) = ring.events(behind: 2, atMost: 8)
      #expect(events.map(\.id) == [7])
      #expect(skipped == count)
    }
  }

  @Test func oneThatComesBackGoesOnBehindWhatItSaw() {
    #expect(ring(5).place(behind: 102) == 3)
    #expect(ring(100).place(behind: 199) == 100)
    #expect(ring(100).place(behind: 191) == nil)
    #expect(ring(0).place(behind: 1) == nil)
  }
}

@Suite struct LiveFeedTests {
  @Test func eventsAreMadeWhileSomebodyWatches() throws {
    let begun = Mutex(0)
    let feed = LiveFeed { _ in
      begun.withLock { $0 += 1 }
      return true
    }
    #expect(begun.withLock { $0 } == 0)
    var watch = try #require(feed.join(after: nil))
    _ = try #require(feed.join(after: nil))
    #expect(begun.withLock { $0 } == 1)
    feed.publish([("request", 5, Array("{}".utf8))], skipped: 2)
    let (events, skipped) = feed.next(&watch, atMost: 10)
    #expect(
      events.map { String(decoding: $0.bytes, as: UTF8.self) } == ["event: request\nid: 5\ndata: {}\n\n"])
    #expect(skipped == 2)
    #expect(feed.next(&watch, atMost: 10).events.isEmpty)
    feed.leave()
    #expect(!feed.mayEnd())
    feed.leave()
    #expect(feed.mayEnd())
    _ = feed.join(after: nil)
    #expect(begun.withLock { $0 } == 2)
  }

  @Test func thereAreOnlySoMany() {
    let feed = LiveFeed { _ in true }
    for _ in 0..<LiveFeed.mostWatchers { #expect(feed.join(after: nil) != nil) }
    #expect(feed.join(after: nil) == nil)
    feed.leave()
    #expect(feed.join(after: nil) != nil)
  }

  @Test func withoutEventsNobodyWatches() {
    let feed = LiveFeed { _ in false }
    #expect(feed.join(after: nil) == nil)
    #expect(feed.mayEnd())
  }

  @Test func oneThatComesBackTooLateIsToldSo() throws {
    let feed = LiveFeed { _ in true }
    feed.publish([("request", 5, [])])
    #expect(try #require(feed.join(after: 5)).hasGap == false)
    #expect(try #require(feed.join(after: 4)).hasGap)
  }
}
