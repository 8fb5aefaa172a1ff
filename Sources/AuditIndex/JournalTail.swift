internal import AuditStore
internal import AuditTrail
internal import GRDB
internal import Primitives

/// The journal behind what the index file holds: the zone that is being read, and before it the one whose requests still
/// wait for their outcomes.
///
/// A zone is written once, whole: when all its intents have their outcomes, or when the zone behind it is full as well.
/// What comes later is a record of its own in the file.
struct JournalTail: ~Copyable {
  enum Step {
    case taken
    /// The record has a number above the limit.
    case beyondLimit
    /// The zone that waits must be written before the line can be taken.
    case mustWrite
  }

  /// What the file holds, on which this goes on.
  private(set) var state: IndexState
  private(set) var waiting = ZoneBuilder()
  private(set) var filling = ZoneBuilder()
  /// Where the next line begins; `nil`: with the first that is kept.
  private(set) var end: JournalPosition?
  let hasher: TermHasher
  private var scanner = RecordScanner()
  /// Of the line at hand.
  private var facts = RecordFacts()
  private var terms = ScratchArray<RecordTerm>()
  private let linesPerZone: Int
  /// A journal out of order can be asked all the same, but a number that far from the one before is no record's.
  private static let widestGap = 1 << 20

  init(after state: IndexState, linesPerZone: Int) {
    self.state = state
    self.linesPerZone = linesPerZone
    hasher = TermHasher(key: UInt64(bitPattern: state.build))
    end = state.end
  }

  /// The last record that was read.
  var lastSequence: Int {
    if !filling.isEmpty { return filling.lastSequence }
    return waiting.isEmpty ? state.sequence : waiting.lastSequence
  }

  /// How many lines could not be read as records, with those of the file.
  var unreadable: Int { state.unreadable + waiting.unreadable + filling.unreadable }

  /// Whether the zone that waits is complete.
  var hasCompleteZone: Bool { !waiting.isEmpty && waiting.open == 0 }

  mutating func take(_ line: Span<UInt8>, at place: RecordPlace, upTo limit: Int) -> Step {
    let isRecord =
      scanner.read(line, into: &facts)
      && (Self.isNear(facts.sequence, lastSequence)
        || Self.isNear(facts.sequence, place.segment.firstSequence))
    if isRecord, facts.sequence > limit { return .beyondLimit }
    guard beginZone(place, isRecord ? facts.sequence : nil) else { return .mustWrite }
    end = JournalPosition(segment: place.segment, offset: place.offset + place.length + 1)
    guard isRecord else {
      filling.takeUnreadable(at: place)
      return .taken
    }
    if facts.kind.isOfRequest {
      takeRecord(line, at: place)
    } else {
      filling.take(facts.statement(of: line, by: hasher), at: place)
    }
    return .taken
  }

  private mutating func takeRecord(_ line: Span<UInt8>, at place: RecordPlace) {
    let record = facts.statement(of: line, by: hasher)
    facts.write(to: &terms, of: line, by: hasher)
    guard !record.isIntent, let intent = record.intent else {
      filling.takeRequest(record, terms, at: place)
      return
    }
    filling.take(record, at: place)
    if let request = filling.request(ofIntent: intent, id: record.requestHash) {
      filling.complete(request, with: record, terms, at: place)
    } else if let request = waiting.request(ofIntent: intent, id: record.requestHash) {
      waiting.complete(request, with: record, terms, at: place)
    } else if state.zone > 0 {
      let late = LateRecord(
        place: place, isFinding: record.isFinding, isUnknown: record.isUnknown, terms: terms.array)
      let id = facts[.requestId].map { facts.bytes($0, of: line).uncheckedText }
      filling.keep(StrayRecord(intent: intent, requestId: id, record: late))
    }
  }

  private static func isNear(_ sequence: Int, _ other: Int) -> Bool {
    let (distance, isTooFar) = sequence.subtractingReportingOverflow(other)
    return !isTooFar && distance.magnitude <= widestGap
  }

  /// - Returns: `false` when the zone before must be written first.
  private mutating func beginZone(_ place: RecordPlace, _ sequence: Int?) -> Bool {
    if !filling.isEmpty {
      if filling.hasRoom(for: place, sequence, linesAtMost: linesPerZone) { return true }
      guard waiting.isEmpty else { return false }
      swap(&waiting, &filling)
    }
    let number = (waiting.isEmpty ? state.zone : waiting.number) + 1
    filling = ZoneBuilder(number: number, first: place, after: lastSequence, lines: linesPerZone)
    return true
  }

  /// Gives out the zone to be written. What comes next is either `finishWriting` or that nobody uses this any more.
  mutating func takeWaiting() -> ZoneBuilder {
    var zone = ZoneBuilder()
    swap(&zone, &waiting)
    return zone
  }

  /// The zone is in the file.
  mutating func finishWriting(_ state: IndexState) { self.state = state }

  func unknownCount(upTo last: Int) -> Int {
    waiting.unknownCount(upTo: last) + filling.unknownCount(upTo: last)
  }

  /// The late records of the file, with what the tail says of requests there.
  func lateRecords(in lines: PlacedLines, _ db: Database) throws -> LateRecords {
    var records = try LateRecords(upTo: state.zone, db)
    for stray in waiting.strays + filling.strays {
      if let position = try stray.find(in: lines, db), position.zone <= state.zone {
        records.add(stray, of: position)
      }
    }
    return records
  }
}
