internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

/// Appends to the file `checkpoints`.
///
/// A line is written only when the one before is on disk, so a crash leaves at most one that is not. The file is opened
/// for each: after a failed synchronisation the descriptor is not asked again, and the next attempt first cuts off
/// what the last one left, because a mixture of two lines could be told from a forgery by nobody.
struct CheckpointWriter {
  private let files: any JournalFileSystem
  private let journal: JournalIdentity
  private var end: Int
  private var previous: SHA256Digest
  /// What a killed process wrote last. When its synchronisation failed, the system takes it for written.
  private var doubtful: CheckpointTail.Line?
  private(set) var last: Checkpoint?
  private var lastIsSigned: Bool
  private var trimming: CheckpointTrimming
  /// Whether the file was replaced, and a crash may bring back the former one.
  private var isNameInDoubt = false
  /// Whether the file may have been replaced although that failed.
  private var isEndInDoubt = false

  init(
    _ found: CheckpointTail, of journal: JournalIdentity, in files: any JournalFileSystem
  ) {
    self.files = files
    self.journal = journal
    end = found.end
    previous = found.digest
    doubtful = found.line
    last = found.checkpoint
    lastIsSigned = found.isSigned
    trimming = CheckpointTrimming(in: files)
  }

  /// Takes away what is about records that are no longer kept, a part at a time.
  mutating func trim(below base: ChainHead) throws(FileFault) {
    let removed: Int
    do throws(FileFault) {
      removed = try trimming.advance(below: base, end: end)
    } catch {
      isEndInDoubt = true
      throw error
    }
    guard removed > 0 else { return }
    end -= removed
    // It was copied, and the copy is on disk.
    doubtful = nil
    isNameInDoubt = true
    try settleName()
  }

  private mutating func settleEnd() throws(FileFault) {
    // Somebody may have removed it: the next line then begins it anew, as after a start, and leaves no hole.
    let size = try files.find(Checkpoint.file)?.size ?? 0
    guard isEndInDoubt || size < end else { return }
    let found = try CheckpointTail(in: files)
    end = found.end
    doubtful = found.line
    previous = found.digest
    last = found.checkpoint
    lastIsSigned = found.isSigned
    isEndInDoubt = false
    isNameInDoubt = true
  }

  private mutating func settleName() throws(FileFault) {
    guard isNameInDoubt else { return }
    try files.synchronizeDirectory()
    isNameInDoubt = false
  }

  /// - Parameters:
  ///   - head: a record that is on disk.
  ///   - key: to sign with.
  /// - Returns: whether there was anything new to say.
  mutating func write(
    _ head: ChainHead, base: ChainHead, segments: Int, key: Ed25519PrivateKey?, now: WallClockTime
  ) throws(FileFault) -> Bool {
    try settleEnd()
    if let last, last.head == head, last.base == base, lastIsSigned == (key != nil) { return false }
    let checkpoint = Checkpoint(
      journal: journal, time: now, head: head, base: base, segments: segments, previous: previous)
    let line = checkpoint.line(signedWith: key)
    try settleName()
    let file = try files.open(Checkpoint.file, .write)
    defer { files.close(file) }
    try mendEnd(of: file)
    try files.writeAll(file, named: Checkpoint.file, at: end, line + [0x0A])
    try files.synchronize(file)
    if end == 0 { try files.synchronizeDirectory() }
    end += line.count + 1
    previous = SHA256.digest(line)
    last = checkpoint
    lastIsSigned = key != nil
    return true
  }

  /// Returns when the file has on disk what the next line follows, and nothing after it.
  private mutating func mendEnd(of file: OpenFile) throws(FileFault) {
    let hasRest = try files.size(file) > end
    guard hasRest || doubtful != nil else { return }
    if hasRest { try files.truncate(file, to: end) }
    if let doubtful {
      try files.writeAll(file, named: Checkpoint.file, at: doubtful.start, doubtful.bytes + [0x0A])
    }
    try files.synchronize(file)
    doubtful = nil
  }
}
