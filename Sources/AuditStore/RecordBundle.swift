internal import Primitives

/// Records on their way to the journal's writer: one behind the other in one buffer, and who waits for the intents.
///
/// `@unchecked Sendable`: it belongs to one at a time. A loop fills it; the queue's lock passes it on to the writer, and
/// the lock of `RecordAnswers` back to the loop. While the writer has it, `waiters` and `late` are the queue's and are
/// only touched under its lock.
final class RecordBundle<Waiter: Sendable>: @unchecked Sendable {
  private struct Place: BitwiseCopyable {
    let end: Int
    let kind: BundledRecord
  }

  /// All records.
  var bytes: ByteBuffer
  private var places = ScratchArray<Place>()
  private(set) var intents = 0
  /// Of the outcomes of requests that were forwarded.
  private(set) var outcomeBytes = 0
  /// Of those of requests that were not.
  private(set) var unforwardedBytes = 0
  /// Who waits for the intents, in their order; empty once they were told something else.
  private(set) var waiters: [Waiter] = []
  /// In place of `waiters`, once they were told that the disk does not answer.
  private(set) var late: [LateIntent] = []
  /// What became of the records. Its number is that of the first.
  var answer = IntentAnswer.open
  /// Where it goes when it was written; `nil`: to nobody, and the writer tells those who wait.
  let home: RecordAnswers?

  init(home: RecordAnswers? = nil) {
    bytes = ByteBuffer()
    self.home = home
  }

  var count: Int { places.count }
  var isEmpty: Bool { places.isEmpty }
  var outcomes: Int { places.count - intents }

  private func start(of index: Int) -> Int { index == 0 ? 0 : places[index - 1].end }

  /// Notes a record that ends at `end` and begins where the one before ends.
  func note(intentEndingAt end: Int, _ waiter: Waiter) {
    places.append(Place(end: end, kind: .intent))
    intents += 1
    waiters.append(waiter)
  }

  /// As for an intent.
  func note(outcomeEndingAt end: Int, isForwarded: Bool = true) {
    let bytes = end - start(of: count)
    if isForwarded { outcomeBytes += bytes } else { unforwardedBytes += bytes }
    places.append(Place(end: end, kind: isForwarded ? .outcome : .unforwarded))
  }

  func append(intent record: Span<UInt8>, _ waiter: Waiter) {
    bytes.append(record)
    note(intentEndingAt: bytes.count, waiter)
  }

  func append(outcome record: Span<UInt8>, isForwarded: Bool = true) {
    bytes.append(record)
    note(outcomeEndingAt: bytes.count, isForwarded: isForwarded)
  }

  /// Each record in its order.
  func forEach(_ body: (_ record: Span<UInt8>, _ kind: BundledRecord) -> Void) {
    var start = 0
    for index in places.indices {
      let place = places[index]
      body(bytes.span.extracting(start..<place.end), place.kind)
      start = place.end
    }
  }

  /// Calls `body` with the waiter of each intent and the intent's place among all records.
  func forEachWaiter(_ body: (Waiter, Int) -> Void) {
    guard !waiters.isEmpty else { return }
    forEachIntent { body(waiters[$0], $1) }
  }

  /// The same for those who wait no longer.
  func forEachLate(_ body: (LateIntent, Int) -> Void) {
    guard !late.isEmpty else { return }
    forEachIntent { body(late[$0], $1) }
  }

  private func forEachIntent(_ body: (_ intent: Int, _ place: Int) -> Void) {
    var intent = 0
    for index in places.indices where places[index].kind == .intent {
      body(intent, index)
      intent += 1
    }
  }

  /// Keeps the memory.
  func removeAll() {
    bytes.removeAll()
    places.removeAll()
    intents = 0
    outcomeBytes = 0
    unforwardedBytes = 0
    waiters.removeAll(keepingCapacity: true)
    late = []
    answer = .open
  }
}

// What happens when not all goes well.
extension RecordBundle {
  /// The records stay; those who wait for them are told now that they may come late.
  func abandonIntents() -> [(waiter: Waiter, late: LateIntent?)] {
    let abandoned = waiters
    late = abandoned.map { _ in LateIntent() }
    waiters = []
    return Array(zip(abandoned, late))
  }

  /// - Returns: who waits for them.
  func removeIntents() -> [Waiter] {
    let waiters = waiters
    keepOutcomes()
    return waiters
  }

  /// Keeps the rest, and of the outcomes of forwarded requests the first that fit in so many bytes.
  /// - Returns: how many outcomes are gone.
  func dropOutcomes(beyondBytes most: Int) -> Int {
    let former = outcomes
    let kept = RecordBundle()
    var next = waiters.makeIterator()
    forEach { record, kind in
      switch kind {
      case .intent: if let waiter = next.next() { kept.append(intent: record, waiter) }
      case .outcome: if kept.outcomeBytes + record.count <= most { kept.append(outcome: record) }
      case .unforwarded: kept.append(outcome: record, isForwarded: false)
      }
    }
    take(from: kept)
    return former - outcomes
  }

  /// Keeps the intents only.
  func removeOutcomes() {
    let kept = RecordBundle()
    var next = waiters.makeIterator()
    forEach { record, kind in
      if kind == .intent, let waiter = next.next() { kept.append(intent: record, waiter) }
    }
    take(from: kept)
  }

  private func keepOutcomes() {
    let kept = RecordBundle()
    forEach { record, kind in
      if kind != .intent { kept.append(outcome: record, isForwarded: kind == .outcome) }
    }
    take(from: kept)
  }

  private func take(from other: RecordBundle) {
    swap(&bytes, &other.bytes)
    swap(&places, &other.places)
    (intents, waiters) = (other.intents, other.waiters)
    (outcomeBytes, unforwardedBytes) = (other.outcomeBytes, other.unforwardedBytes)
  }
}

/// What a record in a bundle is.
enum BundledRecord: UInt8, BitwiseCopyable {
  case intent
  /// The outcome of a request that was forwarded, or a record about no request.
  case outcome
  /// The outcome of a request that was not forwarded.
  case unforwarded
}

/// Bundles in the order of their arrival, and how much is in them.
struct BundleList<Waiter: Sendable> {
  private(set) var bundles: [RecordBundle<Waiter>] = []
  private(set) var count = 0
  private(set) var intents = 0
  private(set) var outcomeBytes = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ bundle: RecordBundle<Waiter>) {
    bundles.append(bundle)
    add(bundle)
  }

  /// Copies the bundle's outcomes to the end of the last one, when that has the same home and is not too large.
  /// - Returns: whether it did.
  mutating func join(outcomes bundle: RecordBundle<Waiter>, most: Int) -> Bool {
    guard bundle.intents == 0, let home = bundle.home, let last = bundles.last, last.home === home,
      last.bytes.count + bundle.bytes.count <= most
    else { return false }
    bundle.forEach { record, kind in last.append(outcome: record, isForwarded: kind == .outcome) }
    add(bundle)
    return true
  }

  /// Copies the bundle's outcomes to bundles of at most `most` records.
  mutating func copyOutcomes(of bundle: RecordBundle<Waiter>, most: Int) {
    bundle.forEach { record, kind in
      guard kind != .intent else { return }
      if bundles.last.map({ $0.count >= most }) ?? true { bundles.append(RecordBundle()) }
      bundles.last?.append(outcome: record, isForwarded: kind == .outcome)
      count += 1
      if kind == .outcome { outcomeBytes += record.count }
    }
  }

  /// Moves bundles to `batch`: as many as have `most` records, and at least one.
  mutating func move(most: Int, to batch: inout [RecordBundle<Waiter>]) {
    if count <= most, batch.isEmpty {
      swap(&batch, &bundles)
      (count, intents, outcomeBytes) = (0, 0, 0)
      return
    }
    var taken = 0
    var records = 0
    while taken < bundles.count, taken == 0 || records + bundles[taken].count <= most {
      let bundle = bundles[taken]
      records += bundle.count
      count -= bundle.count
      intents -= bundle.intents
      outcomeBytes -= bundle.outcomeBytes
      batch.append(bundle)
      taken += 1
    }
    bundles.removeFirst(taken)
  }

  mutating func removeIntents() -> [Waiter] {
    change { $0.removeIntents() }
  }

  mutating func removeOutcomes() {
    let _: [Waiter] = change {
      $0.removeOutcomes()
      return []
    }
  }

  private mutating func change<T>(_ body: (RecordBundle<Waiter>) -> [T]) -> [T] {
    let all = bundles
    self = BundleList()
    var results: [T] = []
    for bundle in all {
      results += body(bundle)
      if !bundle.isEmpty { append(bundle) }
    }
    return results
  }

  private mutating func add(_ bundle: RecordBundle<Waiter>) {
    count += bundle.count
    intents += bundle.intents
    outcomeBytes += bundle.outcomeBytes
  }
}
