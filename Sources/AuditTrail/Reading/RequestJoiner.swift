internal import Primitives

/// What must be known of the whole journal before its requests can be told in order with little memory: which intents
/// have no outcome, and which outcomes come so late that nothing should wait for them.
package struct JournalSurvey: Sendable {
  /// Longer than any request takes; an outcome after that is one that was found out afterwards.
  private static let longestRequest: Int64 = 120 * 1_000_000_000

  /// What is known of a request whose records do not all come soon after its intent.
  fileprivate struct Late: Sendable {
    /// Its outcome, when that comes late as well.
    var outcome: JournalRecord?
    /// What was found out after its outcome, or instead of one.
    var finding: JournalRecord?
    /// Whether an outcome comes soon after the intent.
    var expectsOutcome = false
  }

  /// Intents that still wait, with their time.
  private var open: [Text: WallClockTime] = [:]
  fileprivate var late: [Text: Late] = [:]
  /// The last record that was looked at.
  package private(set) var lastSequence = 0

  package init() {}

  package mutating func take(_ record: JournalRecord) {
    lastSequence = record.sequence
    guard let id = record.requestId else { return }
    switch record.kind {
    case .intent: open[id] = record.time
    case .outcome:
      guard record.integer("intent") != nil else { return }
      guard let begun = open.removeValue(forKey: id) else { return add(finding: record, of: id) }
      if record.time.nanoseconds(since: begun) > Self.longestRequest { late[id] = Late(outcome: record) }
    case .reconciled:
      let isFirst = open.removeValue(forKey: id) != nil
      if isFirst { late[id] = Late(finding: record) } else { add(finding: record, of: id) }
    case .expired, .dropped, .suppressed, .other: break
    }
  }

  /// One that ends twice was first ended as unknown.
  private mutating func add(finding: JournalRecord, of id: Text) {
    late[id, default: Late(expectsOutcome: true)].finding = finding
  }

  /// Whether the outcome of this intent will come soon after it.
  fileprivate func expectsOutcome(ofIntent id: Text) -> Bool {
    open[id] == nil && (late[id]?.expectsOutcome ?? true)
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
    guard let id = record.requestId else { return }
    if record.kind != .intent, record.integer("intent") != nil {
      complete(id, with: record)
    } else {
      begin(id, with: record)
    }
    giveComplete(give)
  }

  /// Gives out the rest.
  package mutating func finish(_ give: (RequestHistory) -> Void) {
    for index in waiting.indices { waiting[index].isComplete = true }
    giveComplete(give)
  }

  private mutating func begin(_ id: Text, with record: JournalRecord) {
    guard record.kind == .intent, survey.expectsOutcome(ofIntent: id) else {
      let late = survey.late[id]
      let history = RequestHistory(first: record, second: late?.outcome, finding: late?.finding)
      waiting.append(Waiting(history: history, isComplete: true))
      return
    }
    places[id] = offset + waiting.count
    waiting.append(Waiting(history: RequestHistory(first: record, second: nil), isComplete: false))
  }

  private mutating func complete(_ id: Text, with record: JournalRecord) {
    // Without its intent it was given out already, or the intent is in a segment that is no longer kept.
    guard let place = places.removeValue(forKey: id) else { return }
    let first = waiting[place - offset].history.first
    waiting[place - offset] = Waiting(
      history: RequestHistory(first: first, second: record, finding: survey.late[id]?.finding),
      isComplete: true)
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
  /// Requests whose outcome has not come, or is unknown.
  private var open: [Text: RequestHistory] = [:]

  /// More than are ever served at a time; intents that a crash left without outcome must not gather.
  private static let mostOpen = 65_536

  package init() {}

  /// - Returns: the request that this record ends.
  package mutating func take(_ record: JournalRecord) -> RequestHistory? {
    guard let id = record.requestId else { return nil }
    guard record.kind != .intent else {
      if open.count >= Self.mostOpen { open.removeAll() }
      open[id] = RequestHistory(first: record, second: nil)
      return nil
    }
    guard let begun = open.removeValue(forKey: id) else {
      return RequestHistory(first: record, second: nil)
    }
    let isFinding = record.kind == .reconciled
    let ended = RequestHistory(
      first: begun.first, second: isFinding ? begun.second : record, finding: isFinding ? record : nil)
    if ended.isUnknown { open[id] = ended }
    return ended
  }
}
