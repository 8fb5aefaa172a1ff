package import Admin
internal import AuditStore
internal import AuditTrail
internal import StrictJSON
internal import Threads

/// Makes events of the journal's requests as they end, on a thread of its own, while somebody watches.
package enum LiveRequests {
  /// How late a request may be seen, and when a journal that could not be read is tried again; nanoseconds.
  private static let period: Int64 = 200_000_000
  private static let patience: Int64 = 2_000_000_000
  /// Of one look at the journal; further ones are counted.
  private static let mostAtOnce = 64

  package static func feed(of directory: String) -> LiveFeed {
    LiveFeed { feed in
      do throws(ThreadFault) {
        try PosixThread {
          PosixThread.giveWay()
          make(feed, from: directory)
        }.abandon()
        return true
      } catch {
        return false
      }
    }
  }

  private static func make(_ feed: LiveFeed, from directory: String) {
    let pause = ThreadEvent()
    var follower: JournalFollower?
    while !feed.mayEnd() {
      do throws(FileFault) {
        var current: JournalFollower
        if let follower {
          current = follower
        } else if let new = try JournalFollower(directory: directory) {
          current = new
        } else {
          throw FileFault(.open, directory, code: 2)
        }
        let (events, skipped) = try poll(&current)
        follower = current
        if !events.isEmpty { feed.publish(events, skipped: skipped) }
        _ = pause.wait(nanoseconds: period)
      } catch {
        follower = nil
        let words = JSONWriter.object { $0.member("error", "the journal cannot be read: \(error)") }
        feed.publish([("problem", 0, Array(words.dropLast()))])
        _ = pause.wait(nanoseconds: patience)
      }
    }
  }

  /// The latest of the requests that have ended since, and how many there were besides.
  private static func poll(
    _ follower: inout JournalFollower
  ) throws(FileFault) -> (events: [(name: StaticString, id: Int, json: [UInt8])], skipped: Int) {
    var ended: [RequestHistory] = []
    var count = 0
    try follower.poll { request in
      count += 1
      // The latest are kept, and not more of them than twice what is shown.
      if ended.count >= 2 * mostAtOnce { ended.removeFirst(mostAtOnce) }
      ended.append(request)
    }
    let shown = ended.suffix(mostAtOnce)
    let events = shown.map { request in
      let last = request.finding ?? request.second ?? request.first
      return (name: "request" as StaticString, id: last.sequence, json: request.json)
    }
    return (events, count - events.count)
  }
}
