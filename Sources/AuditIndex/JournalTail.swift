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
  private let linesPerZone: Int
  /// A journal out of order can be asked all the same, but a number that far from the one before is no record's.
  private static let widestGap = 1 << 20

  init(after state: IndexState, linesPerZone: Int) {
    self.state = state
    self.linesPerZone = linesPerZone
    hasher = TermHasher(build: state.build)
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
    let isRecord = scanner.read(line) && isNear(scanner.facts.sequence, at: place)
    if isRecord, scanner.facts.sequence > limit { return .beyondLimit }
    guard beginZone(place, isRecord ? scanner.facts.sequence : nil) else { return .mustWrite }
    end = JournalPosition(segment: place.segment, offset: place.offset + place.length + 1)
    guard isRecord else {
      filling.takeUnreadable(at: place)
      return .taken
    }
    if scanner.facts.kind.isOfRequest {
      takeRecord(line, at: place)
    } else {
      filling.take(scanner.facts, at: place)
    }
    return .taken
  }

  private mutating func takeRecord(_ line: Span<UInt8>, at place: RecordPlace) {
    guard scanner.facts.kind != .intent, let intent = scanner.facts.intent else {
      filling.takeRequest(scanner.facts, of: line, at: place, by: hasher)
      return
    }
    filling.take(scanner.facts, at: place)
    let id = scanner.facts.requestHash(of: line, by: hasher)
    if let request = filling.request(ofIntent: intent, id: id) {
      filling.complete(request, with: scanner.facts, of: line, at: place, by: hasher)
    } else if let request = waiting.request(ofIntent: intent, id: id) {
      waiting.complete(request, with: scanner.facts, of: line, at: place, by: hasher)
    } else if state.zone > 0 {
      let stray = stray(intent, line, place)
      filling.keep(stray)
    }
  }

  private func stray(_ intent: Int, _ line: Span<UInt8>, _ place: RecordPlace) -> StrayRecord {
    var terms: [IndexTerm] = []
    scanner.facts.forEachTerm(of: line, by: hasher) { terms.append($0) }
    let record = LateRecord(
      place: place, isFinding: scanner.facts.kind == .reconciled,
      isUnknown: scanner.facts.isUnknown(of: line), terms: terms)
    let id = scanner.facts.requestId.map { scanner.facts.bytes($0, of: line).uncheckedText }
    return StrayRecord(intent: intent, requestId: id, record: record)
  }

  private func isNear(_ sequence: Int, at place: RecordPlace) -> Bool {
    Self.isNear(sequence, place.segment.firstSequence) || Self.isNear(sequence, lastSequence)
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
    filling = ZoneBuilder(number: number, first: place, after: lastSequence)
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
