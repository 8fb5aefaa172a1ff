internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

/// Where a journal ends, so that it can be continued.
struct RecoveredJournal {
  struct Segment {
    let name: SegmentName
    /// Where its last whole record ends.
    let end: Int
    /// Whether it holds more than the mark says is on disk.
    let isInDoubt: Bool
  }

  let head: ChainHead
  /// The record before the first that is kept.
  let base: ChainHead
  let lastSegment: Segment?
  /// What was found and mended, for the log.
  let notices: [String]
}

extension RecoveredJournal {
  /// What the last checkpoint says that this journal does not hold.
  func contradiction(of tail: CheckpointTail) -> ChainProblem? {
    guard let named = tail.checkpoint?.head, named.sequence >= head.sequence, named != head else {
      return nil
    }
    return ChainProblem(
      segment: Checkpoint.file, line: nil, sequence: named.sequence,
      kind: .checkpoint(
        named.sequence > head.sequence ? .journalIsShorter(last: head.sequence) : .journalIsRewritten))
  }

  /// Finds the end of the journal. Drops what a crash left of a record that was never acknowledged, after putting it
  /// aside; anything else that is wrong is thrown.
  ///
  /// It reads the last segment and the one before it: enough to know that the end is whole, and soon done
  /// however long the journal is. The rest is what `audit verify` is for.
  init(recovering files: any JournalFileSystem) throws(JournalOpenFailure) {
    let judged = try JournalOpenFailure.wrapping { () throws(FileFault) in
      let listing = try JournalListing(files)
      for leftover in listing.leftovers { try files.remove(leftover.file) }
      let scan = try JournalScan(
        listing.tail(in: files), with: listing.tailVerifier(in: files), in: files)
      return try Self.judge(scan, of: listing, in: files)
    }
    self = try judged.get()
  }

  private static func judge(_ scan: JournalScan, of listing: JournalListing, in files: any JournalFileSystem)
    throws(FileFault) -> Result<RecoveredJournal, JournalOpenFailure>
  {
    var notices = listing.segments.isEmpty ? [] : listing.markNotices
    guard let last = listing.segments.last else {
      if let problem = scan.problem { return .failure(.broken(problem)) }
      let base = listing.base() ?? .genesis
      return .success(RecoveredJournal(head: base, base: base, lastSegment: nil, notices: notices))
    }
    if let problem = scan.problem {
      guard problem.isLeftByCrash(lastSegment: last.file) else { return .failure(.broken(problem)) }
      let copy = try setAside(problem, from: scan.end, in: files)
      notices.append("dropped the end of \(last.file), kept in \(copy): \(problem.message)")
    }
    return .success(
      RecoveredJournal(
        head: scan.extent.head, base: try listing.base(in: files),
        lastSegment: Segment(
          name: last, end: scan.end, isInDoubt: listing.headMark?.head != scan.extent.head),
        notices: notices))
  }

  /// Cuts the segment after its last good record. What is cut stays in a file beside it.
  /// - Returns: that file's name.
  private static func setAside(_ problem: ChainProblem, from end: Int, in files: any JournalFileSystem)
    throws(FileFault) -> String
  {
    let copy = "dropped-\(problem.sequence).partial"
    let segment = try files.open(problem.segment, .write)
    defer { files.close(segment) }
    let rest = try files.contents(of: segment, from: end, limit: largestRest)
    let file = try files.open(copy, .write)
    defer { files.close(file) }
    try files.truncate(file, to: 0)
    try files.writeAll(file, named: copy, at: 0, rest ?? [])
    try files.synchronize(file)
    try files.synchronizeDirectory()
    try files.truncate(segment, to: end)
    try files.synchronize(segment)
    return copy
  }

  /// A batch is a megabyte; what is larger was not left by a crash, and is not worth keeping in memory.
  private static let largestRest = 64 << 20
}

extension JournalListing {
  /// The last segment, and before it the last that has records, because the last may be empty.
  fileprivate func tail(in files: any JournalFileSystem) throws(FileFault) -> ArraySlice<SegmentName> {
    var start = max(0, segments.count - 1)
    while start > 0 {
      start -= 1
      if try !isEmpty(segments[start], in: files) { break }
    }
    return segments[start...]
  }

  fileprivate func tailVerifier(in files: any JournalFileSystem) throws(FileFault) -> ChainVerifier {
    let tail = try tail(in: files)
    if tail.startIndex == 0, let base = base() {
      return ChainVerifier(from: base.sequence + 1, after: base, mark: headMark)
    }
    return ChainVerifier(from: tail.first?.firstSequence ?? 1, after: nil, mark: headMark)
  }

  /// The record before the first that is kept, as the mark says or, without it, the first record.
  func base(in files: any JournalFileSystem) throws(FileFault) -> ChainHead {
    if let base = base() { return base }
    return try segments.first.flatMap { segment throws(FileFault) in try linkBefore(segment, in: files) }
      ?? .genesis
  }

  /// The record before `segment`, as its first record names it; `nil` when it has none.
  func linkBefore(_ segment: SegmentName, in files: any JournalFileSystem) throws(FileFault) -> ChainHead? {
    var lines = try SegmentLines(segment.file, in: files)
    var link: ChainHead?
    let result = Result { () throws(FileFault) in
      try lines.next { line in
        link = RecordPrefix(line).map { ChainHead(sequence: $0.sequence - 1, digest: $0.previous) }
      }
    }
    lines.close()
    _ = try result.get()
    return link
  }

  private func isEmpty(_ segment: SegmentName, in files: any JournalFileSystem) throws(FileFault) -> Bool {
    try files.size(of: segment.file) == 0
  }
}
