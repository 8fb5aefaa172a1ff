internal import Primitives

/// What must be known of the whole journal before its requests can be told in order with little memory: which intents
/// have no outcome, and which outcomes come so late that nothing should wait for them.
package struct JournalSurvey: Sendable {
  /// Longer than any request takes; an outcome after that is one that was found out afterwards.
  private static let longestRequest: Int64 = 120 * 1_000_000_000

  /// Intents that still wait, with their time.
  private var open: [Text: WallClockTime] = [:]
  fileprivate var late: [Text: JournalRecord] = [:]
  /// The last record that was looked at.
  package private(set) var lastSequence = 0

  package init() {}

  package mutating func take(_ record: JournalRecord) {
    lastSequence = record.sequence
    switch record.kind {
    case .intent: open[record.requestId] = record.time
    case .outcome:
      guard record.integer("intent") != nil else { return }
      let begun = open.removeValue(forKey: record.requestId)
      // One that ends twice was first ended as unknown.
      if begun.map({ record.time.nanoseconds(since: $0) > Self.longestRequest }) ?? true {
        late[record.requestId] = record
      }
    }
  }

  /// Whether the outcome of this intent will come soon after it.
  fileprivate func expectsOutcome(of intent: JournalRecord) -> Bool {
    open[intent.requestId] == nil && late[intent.requestId] == nil
  }
}

/// Puts intents and outcomes together and gives out the requests in the order in which they were first recorded.
///
/// It remembers the requests from the oldest that waits for its outcome on, which is as many as come while one is
/// served.
package struct RequestJoiner {
  private let survey: JournalSurvey
  /// In order, from the oldest that waits for its outcome.
  private var waiting: [Waiting] = []
  private var places: [Text: Int] = [:]
  /// The place of `waiting[0]` among all.
  private var offset = 0

  private struct Waiting {
    var history: RequestHistory
    var isComplete: Bool
  }

  package init(after survey: JournalSurvey) { self.survey = survey }

  /// Takes the next record and gives out what is complete.
  package mutating func take(_ record: JournalRecord, _ give: (RequestHistory) -> Void) {
    if record.kind == .outcome, record.integer("intent") != nil {
      complete(with: record)
    } else {
      begin(with: record)
    }
    giveComplete(give)
  }

  /// Gives out the rest.
  package mutating func finish(_ give: (RequestHistory) -> Void) {
    for index in waiting.indices { waiting[index].isComplete = true }
    giveComplete(give)
  }

  private mutating func begin(with record: JournalRecord) {
    guard record.kind == .intent, survey.expectsOutcome(of: record) else {
      let history = RequestHistory(first: record, second: survey.late[record.requestId])
      waiting.append(Waiting(history: history, isComplete: true))
      return
    }
    places[record.requestId] = offset + waiting.count
    waiting.append(Waiting(history: RequestHistory(first: record, second: nil), isComplete: false))
  }

  private mutating func complete(with record: JournalRecord) {
    // Without its intent it was given out already, or the intent is in a segment that is no longer kept.
    guard let place = places.removeValue(forKey: record.requestId) else { return }
    let first = waiting[place - offset].history.first
    waiting[place - offset] = Waiting(
      history: RequestHistory(first: first, second: record), isComplete: true)
  }

  private mutating func giveComplete(_ give: (RequestHistory) -> Void) {
    let count = waiting.firstIndex { !$0.isComplete } ?? waiting.count
    guard count > 0 else { return }
    for entry in waiting[..<count] { give(entry.history) }
    waiting.removeFirst(count)
    offset += count
  }
}

/// Puts outcomes to the intents that came before them, as records come.
package struct LiveJoiner {
  /// Intents whose outcome has not come.
  private var open: [Text: JournalRecord] = [:]

  /// More than are ever served at a time; intents that a crash left without outcome must not gather.
  private static let mostOpen = 65_536

  package init() {}

  /// - Returns: the request that this record ends.
  package mutating func take(_ record: JournalRecord) -> RequestHistory? {
    guard record.kind == .outcome else {
      if open.count >= Self.mostOpen { open.removeAll() }
      open[record.requestId] = record
      return nil
    }
    guard let intent = open.removeValue(forKey: record.requestId) else {
      return RequestHistory(first: record, second: nil)
    }
    return RequestHistory(first: intent, second: record)
  }
}
