internal import AuditTrail
internal import Primitives
internal import Synchronization

/// What the writer does besides writing, once a second at most.
extension JournalWriter {
  func look() {
    nextLook = clock.monotonic().advanced(byNanoseconds: Self.lookInterval)
    lookAtSpace()
    lookAtPlace()
    _ = tellSuppressed(isLast: false)
  }

  private func lookAtSpace() {
    // Who cannot be asked is not low; a full disk shows when it is written to.
    guard let free = try? segments.files.freeBytes() else { return }
    let size = segments.size
    space.minimum = shared.minimumFreeSpace.load(ordering: .relaxed)
    let change = space.note(free: free)
    shared.statistics.withLock { statistics in
      statistics.freeBytes = free
      statistics.bytes = size
      statistics.isSpaceLow = space.isLow
    }
    guard let change else { return }
    shared.refusals.withLock { $0.isSpaceLow = space.isLow }
    shared.tell(change)
  }

  /// Also the way back when nobody asks for anything: a gateway that is not ready gets no requests that would show that all
  /// is well again.
  private func lookAtPlace() {
    let (failure, isEmpty) = (
      shared.statistics.withLock { $0.failure }, shared.queue.withLock { $0.count == 0 }
    )
    guard failure != nil || segments.isWritten else { return }
    do throws(FileFault) {
      try segments.settle()
      guard case .file(let fault)? = failure, isEmpty, fault.operation == .displaced else { return }
      shared.statistics.withLock { $0.failure = nil }
      shared.tellSuccess()
    } catch {
      note(error, lostOutcomes: 0)
    }
  }

  /// Hands over the record of what got none. While nothing can be written there is no use in more of them than one, which
  /// also shows whether something can be written again.
  /// - Returns: whether there was something to tell.
  func tellSuppressed(isLast: Bool) -> Bool {
    let isFailing = shared.statistics.withLock { $0.failure != nil }
    if isFailing, !isLast, shared.queue.withLock({ $0.count > 0 }) { return false }
    let now = clock.monotonic()
    guard let told = shared.refusals.withLock({ $0.take(now: now, isLast: isLast || isFailing) }) else {
      return false
    }
    shared.add(outcome: told.record(at: clock.wallClock()), isFromWriter: true)
    return true
  }

  /// A segment that is not in its place is written anew meanwhile.
  func puttingBack(_ body: () throws(FileFault) -> Void) throws(FileFault) {
    segments.putsBack = true
    defer { segments.putsBack = false }
    try body()
  }
}

/// Whether the disk has room for more than the records of served requests.
struct SpaceWatch {
  /// Bytes.
  var minimum: Int
  private(set) var isLow = false

  init(minimum: Int) { self.minimum = minimum }

  /// - Returns: what is to be told, when it begins or ends.
  mutating func note(free: Int) -> JournalEvent? {
    if !isLow, free < minimum {
      isLow = true
      return .spaceIsLow(free: free, minimum: minimum)
    }
    // A bit more, so that it does not begin and end with every record.
    if isLow, free >= minimum + minimum / 16 {
      isLow = false
      return .spaceIsBack(free: free)
    }
    return nil
  }
}
