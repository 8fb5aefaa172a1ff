internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

/// Appends to the file `checkpoints`. It opens the file for each: after a failed synchronisation the descriptor is not
/// asked again, and the next attempt cuts off what the last one left.
struct CheckpointWriter {
  private let files: any JournalFileSystem
  private let journal: JournalIdentity
  private let key: Ed25519PrivateKey?
  private var end: Int
  private var previous: SHA256Digest
  private(set) var last: Checkpoint?
  private var lastIsSigned: Bool

  init(
    _ found: CheckpointTail, of journal: JournalIdentity, key: Ed25519PrivateKey?,
    in files: any JournalFileSystem
  ) {
    self.files = files
    self.journal = journal
    self.key = key
    end = found.end
    previous = found.digest
    last = found.checkpoint
    lastIsSigned = found.isSigned
  }

  /// - Parameter head: a record that is on disk.
  /// - Returns: whether there was anything new to say.
  mutating func write(_ head: ChainHead, base: ChainHead, segments: Int, now: WallClockTime) throws(FileFault)
    -> Bool
  {
    if let last, last.head == head, last.base == base, lastIsSigned == (key != nil) { return false }
    let checkpoint = Checkpoint(
      journal: journal, time: now, head: head, base: base, segments: segments, previous: previous)
    let line = checkpoint.line(signedWith: key)
    let file = try files.open(Checkpoint.file, .write)
    let end = end
    let result = Result { () throws(FileFault) in
      try files.truncate(file, to: end)
      try files.writeAll(file, named: Checkpoint.file, at: end, line + [0x0A])
      try files.synchronize(file)
      if end == 0 { try files.synchronizeDirectory() }
    }
    files.close(file)
    try result.get()
    self.end += line.count + 1
    previous = SHA256.digest(line)
    last = checkpoint
    lastIsSigned = key != nil
    return true
  }
}

/// How the file `checkpoints` ends.
struct CheckpointTail {
  /// After the last whole line.
  var end = 0
  /// Of the last whole line.
  var digest = Checkpoint.genesis
  /// `nil` when there is none, or it cannot be read.
  var checkpoint: Checkpoint?
  var isSigned = false

  init() {}

  init(in files: any JournalFileSystem) throws(FileFault) {
    guard try files.names().contains(Checkpoint.file) else { return }
    var lines = try SegmentLines(Checkpoint.file, in: files)
    var line: [UInt8] = []
    let result = Result { () throws(FileFault) in
      while try lines.next({ span in line = span.withUnsafeBytes { Array($0) } }) == .line {}
    }
    end = lines.offset
    lines.close()
    try result.get()
    guard end > 0 else { return }
    digest = SHA256.digest(line)
    let found = Checkpoint.read(line)
    checkpoint = found?.0
    isSigned = found?.signature != nil
  }
}
