internal import AuditStore
internal import AuditTrail
internal import Primitives

/// What must be known of a request until its zone is written.
struct RequestStatus: BitwiseCopyable {
  /// A hash of its id.
  var id: UInt64
  /// An intent without outcome so far.
  var isOpen: Bool
  /// Forwarded, and no answer is known.
  var isUnknown: Bool
}

/// A zone while it is read: up to 4096 lines in a row of one segment, of which the index says at once which requests
/// have what, and where their records lie.
struct ZoneBuilder: ~Copyable {
  let number: Int
  private(set) var origin: ZoneOrigin
  private(set) var lines = 0
  /// How many lines could not be read as records.
  private(set) var unreadable = 0
  /// Where the last line lies.
  private(set) var last: RecordPlace
  /// Of the last record.
  private(set) var lastSequence: Int
  private(set) var sequences = Int.max...Int.max
  private(set) var times = Int64.max...Int64.max
  private(set) var entries = ScratchArray<RequestEntry>()
  private var statuses = ScratchArray<RequestStatus>()
  private var postings = ZonePostings()
  /// Late records of its own requests, by the request.
  private(set) var late: [(request: Int, record: LateRecord)] = []
  /// In its lines, of requests of earlier zones.
  private(set) var strays: [StrayRecord] = []
  /// Its intents that wait for their outcome.
  private(set) var open = 0
  /// The request that each line begins, or `none`.
  private var requestOfLine = ScratchArray<Int16>()
  /// Whether each record has the number after that of the line before.
  private var isInOrder = true

  private static let none: Int16 = -1

  /// None: it has no line and never will.
  init() {
    number = 0
    origin = ZoneOrigin(segment: 0, offset: 0, sequence: 0, time: 0)
    last = RecordPlace(segment: SegmentName(firstSequence: 1), offset: 0, length: 0)
    lastSequence = 0
  }

  var isEmpty: Bool { lines == 0 }

  /// - Parameter lines: how many are expected.
  init(number: Int, first place: RecordPlace, after sequence: Int, lines: Int) {
    self.number = number
    entries.reserve(lines)
    statuses.reserve(lines)
    requestOfLine.reserve(lines)
    postings.reserve(6 * lines)
    origin = ZoneOrigin(segment: place.segment.firstSequence, offset: place.offset, sequence: 0, time: 0)
    last = place
    lastSequence = sequence
  }

  /// Whether a line there can be one of its lines, with the number of the record that it is. Mutating like the others
  /// that are called for each line: a large struct that is lent to read is copied.
  mutating func hasRoom(for place: RecordPlace, _ sequence: Int?, linesAtMost: Int) -> Bool {
    guard lines < linesAtMost, place.segment.firstSequence == origin.segment,
      (0..<RequestEntry.reach).contains(place.offset - origin.offset)
    else { return false }
    guard let sequence, sequences.lowerBound != .max else { return true }
    return (sequence &- origin.sequence).magnitude < RequestEntry.reach
  }

  mutating func takeUnreadable(at place: RecordPlace) {
    begin(place)
    unreadable += 1
  }

  /// A record of no request, or the outcome of one.
  mutating func take(_ record: RecordStatement, at place: RecordPlace) {
    begin(place)
    note(record)
  }

  /// The first or only record of a request.
  mutating func takeRequest(
    _ record: RecordStatement, _ terms: borrowing ScratchArray<RecordTerm>, at place: RecordPlace
  ) {
    begin(place)
    note(record)
    let request = entries.count
    requestOfLine[lines - 1] = Int16(truncatingIfNeeded: request)
    entries.append(
      RequestEntry(
        offset: UInt32(truncatingIfNeeded: place.offset - origin.offset),
        length: UInt32(truncatingIfNeeded: place.length),
        sequence: Int32(truncatingIfNeeded: record.sequence - origin.sequence),
        milliseconds: origin.milliseconds(of: record.time)))
    // Without an outcome of its own, it was forwarded, or will be.
    let isUnknown = record.isUnknown ?? true
    let isOpen = record.isIntent && isUnknown
    statuses.append(RequestStatus(id: record.requestHash, isOpen: isOpen, isUnknown: isUnknown))
    if isOpen { open += 1 }
    postings.add(terms, of: request)
  }

  /// The number of the request whose first record is this one, when its id has this hash.
  mutating func request(ofIntent sequence: Int, id: UInt64) -> Int? {
    guard sequences.contains(sequence), let request = request(ofIntent: sequence), statuses[request].id == id
    else { return nil }
    return request
  }

  private mutating func request(ofIntent sequence: Int) -> Int? {
    let distance = sequence - origin.sequence
    if isInOrder {
      guard requestOfLine.indices.contains(distance), requestOfLine[distance] != Self.none else { return nil }
      return Int(requestOfLine[distance])
    }
    var request = entries.count - 1
    while request >= 0 {
      if Int(entries[request].sequence) == distance { return request }
      request -= 1
    }
    return nil
  }

  /// The outcome of one of its requests, wherever it lies, or what was found out about one.
  mutating func complete(
    _ request: Int, with outcome: RecordStatement, _ terms: borrowing ScratchArray<RecordTerm>,
    at place: RecordPlace
  ) {
    let distance = place.offset - origin.offset
    if !outcome.isFinding, place.segment.firstSequence == origin.segment,
      (0..<RequestEntry.reach).contains(distance)
    {
      entries[request].secondOffset = UInt32(truncatingIfNeeded: distance)
      entries[request].secondLength = UInt32(truncatingIfNeeded: place.length)
    } else {
      let record = LateRecord(
        place: place, isFinding: outcome.isFinding, isUnknown: outcome.isUnknown, terms: [])
      late.append((request, record))
    }
    if statuses[request].isOpen {
      statuses[request].isOpen = false
      open -= 1
    }
    if let isUnknown = outcome.isUnknown { statuses[request].isUnknown = isUnknown }
    postings.add(terms, of: request)
  }

  mutating func keep(_ stray: StrayRecord) { strays.append(stray) }

  func isUnknown(_ request: Int) -> Bool { statuses[request].isUnknown }

  func unknownCount(upTo last: Int) -> Int {
    var count = 0
    for request in entries.indices where isUnknown(request) && origin.sequence(entries[request]) <= last {
      count += 1
    }
    return count
  }

  func requests(with term: RecordTerm) -> RequestSet { postings.requests(with: term) }

  mutating func forEachBucket<E: Error>(_ body: (Int, UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
    try postings.forEachBucket(body)
  }

  private mutating func begin(_ place: RecordPlace) {
    last = place
    lines += 1
    requestOfLine.append(Self.none)
  }

  private mutating func note(_ record: RecordStatement) {
    let (sequence, time) = (record.sequence, record.time)
    if sequences.lowerBound == .max {
      // Lines before it that are no records have the numbers before it.
      origin.sequence = sequence - (lines - 1)
      origin.time = time
      sequences = sequence...sequence
      times = time...time
    } else {
      if sequence != origin.sequence &+ (lines - 1) { isInOrder = false }
      if sequence > sequences.upperBound {
        sequences = sequences.lowerBound...sequence
      } else if sequence < sequences.lowerBound {
        sequences = sequence...sequences.upperBound
      }
      if time > times.upperBound {
        times = times.lowerBound...time
      } else if time < times.lowerBound {
        times = time...times.upperBound
      }
    }
    lastSequence = sequence
  }
}
