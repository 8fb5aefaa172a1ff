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
  /// The last record, when it was found cut although it had been on disk.
  let dropped: DroppedRecord?
  /// The time of the last record; `nil` when there is none.
  let lastTime: WallClockTime?
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
      let scan = try JournalScan(
        listing.tail(in: files), with: listing.tailVerifier(in: files), in: files)
      let judged = try Self.judge(scan, of: listing, in: files)
      // Only what the rest of the journal is really chained to may go.
      if case .success = judged { for leftover in listing.leftovers { try files.remove(leftover.file) } }
      return judged
    }
    self = try judged.get()
  }

  private static func judge(_ scan: JournalScan, of listing: JournalListing, in files: any JournalFileSystem)
    throws(FileFault) -> Result<RecoveredJournal, JournalOpenFailure>
  {
    var notices = listing.segments.isEmpty ? [] : listing.markNotices
    var dropped: DroppedRecord?
    guard let last = listing.segments.last else {
      if let problem = scan.problem { return .failure(.broken(problem)) }
      let base = listing.base() ?? .genesis
      return .success(
        RecoveredJournal(
          head: base, base: base, lastSegment: nil, dropped: nil, lastTime: nil,
          notices: notices))
    }
    if let problem = try listing.contradictionOfBase(in: files) { return .failure(.broken(problem)) }
    if let problem = scan.problem {
      guard problem.isLeftByCrash(lastSegment: last.file) else { return .failure(.broken(problem)) }
      let found = try setAside(problem, from: scan.end, in: files)
      notices.append("dropped the end of \(last.file), kept in \(found.file): \(problem.message)")
      if case .torn(_, wasWhole: true) = problem.kind { dropped = found }
    }
    return .success(
      RecoveredJournal(
        head: scan.extent.head, base: try listing.base(in: files),
        lastSegment: Segment(
          name: last, end: scan.end, isInDoubt: listing.headMark?.head != scan.extent.head),
        dropped: dropped, lastTime: try listing.lastTime(before: scan.end, in: files), notices: notices))
  }

  /// Cuts the segment after its last good record. What is cut stays in a file beside it.
  private static func setAside(_ problem: ChainProblem, from end: Int, in files: any JournalFileSystem)
    throws(FileFault) -> DroppedRecord
  {
    let copy = try freeName(for: problem.sequence, in: files)
    let segment = try files.open(problem.segment, .write)
    defer { files.close(segment) }
    let rest = try files.contents(of: segment, from: end, limit: largestRest) ?? []
    let file = try files.open(copy, .write)
    defer { files.close(file) }
    try files.writeAll(file, named: copy, at: 0, rest)
    try files.synchronize(file)
    try files.synchronizeDirectory()
    try files.truncate(segment, to: end)
    try files.synchronize(segment)
    return DroppedRecord(sequence: problem.sequence, rest: rest, file: copy)
  }

  /// What an earlier crash left of a record with the same number stays.
  private static func freeName(for sequence: Int, in files: any JournalFileSystem) throws(FileFault) -> String
  {
    let taken = Set(try files.names())
    var name = "dropped-\(sequence).partial"
    var number = 2
    while taken.contains(name) {
      name = "dropped-\(sequence)-\(number).partial"
      number += 1
    }
    return name
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

  /// The time of the last record.
  /// - Parameter end: where it ends, if it stands in the last segment.
  fileprivate func lastTime(before end: Int, in files: any JournalFileSystem) throws(FileFault)
    -> WallClockTime?
  {
    for segment in segments.reversed() {
      let file = try files.open(segment.file, .read)
      defer { files.close(file) }
      let end = segment == segments.last ? end : try files.size(file)
      guard end > 0 else { continue }
      return try files.lastLine(of: file, before: end).flatMap { JournalRecord(line: $0) }?.time
    }
    return nil
  }

  /// What is wrong when segments are to go of which the first that stays is not chained to them.
  fileprivate func contradictionOfBase(in files: any JournalFileSystem) throws(FileFault) -> ChainProblem? {
    guard !leftovers.isEmpty, let first = segments.first, let base = headMark?.base,
      let link = try linkBefore(first, in: files), link != base
    else { return nil }
    return ChainProblem(segment: first.file, line: 1, sequence: base.sequence, kind: .otherThanMarked)
  }

  private func isEmpty(_ segment: SegmentName, in files: any JournalFileSystem) throws(FileFault) -> Bool {
    try files.size(of: segment.file) == 0
  }
}
