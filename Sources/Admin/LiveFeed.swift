internal import Primitives
internal import Synchronization

/// The latest events, by numbers that go up. Whoever comes late finds that some are gone.
struct EventRing {
  struct Event: Sendable {
    /// What a watcher that comes back names as the last one that it has seen.
    let id: Int
    /// A whole server-sent event.
    let bytes: [UInt8]
  }

  private let capacity: Int
  private var events: [Event?] = []
  /// The number of the event that comes next.
  private(set) var end = 0

  init(capacity: Int) { self.capacity = capacity }

  mutating func append(_ event: Event) {
    if events.count < capacity { events.append(event) } else { events[end % capacity] = event }
    end += 1
  }

  /// Counts events that were not made.
  mutating func skip(_ count: Int) {
    for _ in 0..<min(count, capacity) {
      if events.count < capacity { events.append(nil) } else { events[end % capacity] = nil }
      end += 1
    }
    end += max(0, count - capacity)
    // Places go by numbers: after a leap that is no multiple of the capacity they would be others.
    if count > capacity { events = Array(repeating: nil, count: capacity) }
  }

  /// The latest events behind `position`, at most `count`, and how many are left out.
  func events(behind position: Int, atMost count: Int) -> (events: [Event], skipped: Int) {
    let first = max(position, end - min(count, events.count))
    let found = (first..<end).compactMap { events[$0 % capacity] }
    return (found, end - position - found.count)
  }

  /// The place behind the event with that id; `nil`: it is not here any more.
  func place(behind id: Int) -> Int? {
    (max(0, end - events.count)..<end).last { events[$0 % capacity]?.id == id }.map { $0 + 1 }
  }
}

/// What a few people watch as it happens. It is made while somebody watches; nobody waits for a watcher, and none has a queue:
/// who is slow misses some, and is told how many.
package final class LiveFeed: Sendable {
  private struct State {
    var ring = EventRing(capacity: 256)
    var watchers = 0
    var isMade = false
  }

  /// Where a watcher stands.
  struct Watch {
    fileprivate(set) var position: Int
    /// What it has missed before it came, without anybody knowing how much.
    fileprivate(set) var hasGap: Bool
  }

  private let state = Mutex(State())
  private let make: @Sendable (LiveFeed) -> Bool

  /// More than look at one gateway.
  package static let mostWatchers = 16

  /// - Parameter make: begins to make events until `mayEnd` says so, elsewhere; `false`: it cannot.
  package init(madeBy make: @escaping @Sendable (LiveFeed) -> Bool) { self.make = make }

  /// - Parameter id: the last event that was seen.
  /// - Returns: `nil` when there are as many watchers as may be, or no events to be had.
  func join(after id: Int?) -> Watch? {
    let (watch, mustBegin): (Watch?, Bool) = state.withLock { state in
      guard state.watchers < Self.mostWatchers else { return (nil, false) }
      state.watchers += 1
      let place = id.flatMap { state.ring.place(behind: $0) }
      defer { state.isMade = true }
      return (Watch(position: place ?? state.ring.end, hasGap: id != nil && place == nil), !state.isMade)
    }
    guard watch != nil, mustBegin, !make(self) else { return watch }
    state.withLock { state in
      state.isMade = false
      state.watchers -= 1
    }
    return nil
  }

  func leave() { state.withLock { $0.watchers -= 1 } }

  /// The events that came since the watcher looked last.
  func next(_ watch: inout Watch, atMost count: Int) -> (events: [EventRing.Event], skipped: Int) {
    let position = watch.position
    let (found, end) = state.withLock { state in
      (state.ring.events(behind: position, atMost: count), state.ring.end)
    }
    watch.position = end
    return found
  }

  /// Whether nobody watches. Then no more events are made.
  package func mayEnd() -> Bool {
    state.withLock { state in
      if state.watchers == 0 { state.isMade = false }
      return !state.isMade
    }
  }

  /// - Parameters:
  ///   - json: one line.
  ///   - skipped: how many there were besides that nobody could read so fast.
  package func publish(_ events: [(name: StaticString, id: Int, json: [UInt8])], skipped: Int = 0) {
    let written = events.map { event in
      var bytes: [UInt8] = []
      bytes.append("event: ")
      bytes.append(event.name)
      bytes.append("\nid: ")
      bytes.append(decimal: event.id)
      bytes.append("\ndata: ")
      bytes += event.json
      bytes.append("\n\n")
      return EventRing.Event(id: event.id, bytes: bytes)
    }
    state.withLock { state in
      state.ring.skip(skipped)
      for event in written { state.ring.append(event) }
    }
  }
}
