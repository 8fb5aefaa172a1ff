internal import HTTPWire
internal import Primitives
internal import Transport

/// `/api/live`: events as they come, until either side has enough.
struct LiveAnswer {
  let feed: LiveFeed
  let drain: DrainFlag

  /// How often a watcher is looked after, and after what silence it is told that all is well; nanoseconds.
  private static let period: Int64 = 250_000_000
  private static let silence: Int64 = 15_000_000_000
  /// A hundred a second, which is more than anybody reads.
  private static let mostAtOnce = 25

  /// - Parameter isAllowed: asked again and again: who logs out watches no longer.
  func reply(
    to head: RequestHead, on connection: ByteStream, while isAllowed: () -> Bool
  ) async -> Reply {
    guard
      var watch = feed.join(after: head.first(named: "last-event-id").flatMap { Self.number(head.bytes[$0]) })
    else {
      var reply = Reply.json(
        status: 503,
        error: "\(LiveFeed.mostWatchers) watch already, which is as many as may, or there is nothing to watch"
      )
      reply.fieldLines.append(field: "Retry-After", decimal: 5)
      return reply
    }
    defer { feed.leave() }
    do throws(TransportError) {
      try await watchFeed(&watch, on: connection, while: isAllowed)
    } catch {
      // The watcher is gone or does not read; when it comes back it is told that it has missed some.
    }
    return Reply(status: 200, closes: true)
  }

  private func watchFeed(
    _ watch: inout LiveFeed.Watch, on connection: ByteStream, while isAllowed: () -> Bool
  ) async throws(TransportError) {
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: "text/event-stream")
    lines.append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\n")
    let stream = try await AnswerStream(status: 200, fieldLines: lines, on: connection)
    var out = ByteBuffer()
    out.append("retry: 2000\n\n")
    if watch.hasGap { out.append("event: skipped\ndata: {\"count\":null}\n\n") }
    var lastWrite = connection.loop.turnBegan
    while !drain.isSet, stream.isRead, isAllowed() {
      let (events, skipped) = feed.next(&watch, atMost: Self.mostAtOnce)
      if skipped > 0 {
        out.append("event: skipped\ndata: {\"count\":")
        out.append(decimal: skipped)
        out.append("}\n\n")
      }
      for event in events { out.append(event.bytes) }
      let now = connection.loop.turnBegan
      if out.isEmpty, now.nanoseconds(since: lastWrite) >= Self.silence { out.append(": alive\n\n") }
      if !out.isEmpty {
        try await stream.write(out)
        out.removeAll()
        lastWrite = connection.loop.turnBegan
      }
      await connection.loop.sleep(nanoseconds: Self.period)
    }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    Int(String(decoding: digits, as: UTF8.self))
  }
}
