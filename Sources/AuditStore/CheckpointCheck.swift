internal import AuditTrail
internal import OpenSSLCrypto

/// Compares checkpoints with the journal as it streams past: those of the file beside it and those that somebody kept.
/// It holds one of the file's, however many there are.
struct CheckpointCheck: ~Copyable {
  private var lines: SegmentLines?
  private var line = 0
  private var previous = Checkpoint.genesis
  /// The record before the first that is kept.
  private var base: ChainHead?
  private var identity: JournalIdentity?
  /// Any of these may have signed: keys are changed. Empty: signatures are not looked at.
  private let keys: [Ed25519PublicKey]
  private var isSigned = false
  /// Whether a signed one names `base`.
  private var isBaseSigned = false
  /// The file's next.
  private var next: Checkpoint?
  private var reached = 0
  /// In order; each with its line in the file that it was kept in.
  private var kept: ArraySlice<Checkpoint>
  /// The next record that one of them is about.
  private(set) var due = Int.max
  /// How many of those that were kept are about records that are no longer kept.
  private(set) var expired = 0

  init(kept: [Checkpoint], keys: [Ed25519PublicKey], in files: any JournalFileSystem) throws(FileFault) {
    self.keys = keys
    self.kept = kept.sorted { $0.head.sequence < $1.head.sequence }[...]
    identity = try JournalIdentity.read(in: files)
    // What is added from now on may be about segments that were not listed.
    lines =
      try files.names().contains(Checkpoint.file)
      ? SegmentLines(Checkpoint.file, in: files, asLongAsNow: true) : nil
  }

  consuming func close() { lines?.close() }

  /// Compares everything that is about records up to this one, which is the last that was read; at first the base.
  mutating func advance(to head: ChainHead) throws(FileFault) -> ChainProblem? {
    if base == nil { base = head }
    while let checkpoint = kept.first, checkpoint.head.sequence <= head.sequence {
      kept.removeFirst()
      if let identity, identity != checkpoint.journal { return problem(.otherJournal, checkpoint, line: nil) }
      if checkpoint.head.sequence < head.sequence {
        expired += 1
      } else if checkpoint.head != head {
        return problem(.journalIsRewritten, checkpoint, line: nil)
      }
    }
    while true {
      if next == nil, let found = try read() { return found }
      guard let checkpoint = next, checkpoint.head.sequence <= head.sequence else { break }
      if checkpoint.head.sequence == head.sequence, checkpoint.head != head {
        return problem(.journalIsRewritten, checkpoint, line: line)
      }
      next = nil
    }
    due = min(next?.head.sequence ?? .max, kept.first?.head.sequence ?? .max)
    return nil
  }

  /// The journal's end. What is left is about records that are not there.
  mutating func finish(at head: ChainHead) throws(FileFault) -> ChainProblem? {
    if let left = kept.first {
      if let identity, identity != left.journal { return problem(.otherJournal, left, line: nil) }
      return problem(.journalIsShorter(last: head.sequence), left, line: nil)
    }
    if let next { return problem(.journalIsShorter(last: head.sequence), next, line: line) }
    if !keys.isEmpty, !isSigned {
      return ChainProblem(
        segment: Checkpoint.file, line: nil, sequence: head.sequence, kind: .checkpoint(.missing))
    }
    return try checkBase()
  }

  /// With a key, only a signed checkpoint can say that retention removed what is missing at the beginning.
  private mutating func checkBase() throws(FileFault) -> ChainProblem? {
    guard !keys.isEmpty, let base, base != .genesis else { return nil }
    // Retention may have moved the base between the look at this file and the one at the segments.
    lines?.followGrowth()
    while !isBaseSigned {
      next = nil
      if let found = try read() { return found }
      guard next != nil else {
        return ChainProblem(
          segment: Checkpoint.file, line: nil, sequence: base.sequence, kind: .checkpoint(.baseUnsigned))
      }
    }
    return nil
  }

  /// Reads the file's next into `next`.
  private mutating func read() throws(FileFault) -> ChainProblem? {
    var bytes: [UInt8] = []
    // A line that is not whole is being written, or was when the gateway stopped.
    guard try lines?.next({ span in bytes = span.withUnsafeBytes { Array($0) } }) == .line else { return nil }
    line += 1
    guard let (checkpoint, signature) = Checkpoint.read(bytes) else {
      // The last one may not have been on disk when the machine stopped; the next start drops it.
      if Checkpoint.isHole(bytes), try lines?.next({ _ in }) != .line { return nil }
      return ChainProblem(
        segment: Checkpoint.file, line: line, sequence: reached, kind: .checkpoint(.unreadable))
    }
    // Those before the last that is about removed records only were removed with those.
    let mayBegin = line == 1 && base != .genesis && checkpoint.head.sequence <= base?.sequence ?? 0
    if !mayBegin, checkpoint.previous != previous { return problem(.unlinked, checkpoint, line: line) }
    if let identity, identity != checkpoint.journal { return problem(.otherJournal, checkpoint, line: line) }
    identity = checkpoint.journal
    if !keys.isEmpty {
      if let signature {
        guard keys.contains(where: { checkpoint.isSigned(signature, by: $0) }) else {
          return problem(.badSignature, checkpoint, line: line)
        }
        isSigned = true
        if checkpoint.base == base { isBaseSigned = true }
      } else if isSigned {
        return problem(.unsigned, checkpoint, line: line)
      }
    }
    if checkpoint.head.sequence < reached { return problem(.goesBack, checkpoint, line: line) }
    reached = checkpoint.head.sequence
    previous = SHA256.digest(bytes)
    next = checkpoint
    return nil
  }

  private func problem(_ fault: CheckpointFault, _ checkpoint: Checkpoint, line: Int?) -> ChainProblem {
    ChainProblem(
      segment: Checkpoint.file, line: line, sequence: checkpoint.head.sequence, kind: .checkpoint(fault))
  }
}
