internal import AuditTrail
internal import Primitives

/// Finds and removes segments whose last record is older than the settings want to keep; where the journal is copied,
/// only what the copy has.
struct Retention {
  let files: any JournalFileSystem
  /// `nil`: nothing is ever removed.
  let keptNanoseconds: Int64?

  /// What one `expired` record names at most, and so what one look removes; the rest comes at the next.
  private static let mostSegments = 400

  /// How often a journal that nothing is written to is looked through; `nil`: never.
  var period: Int64? {
    keptNanoseconds.map { min(max($0 / 20, 1_000_000_000), 3_600_000_000_000) }
  }

  /// Whether the journal's last segment is too old to be kept and holds something to remove: then it must be ended, so
  /// that it can be removed.
  func wantsEnd(of segment: SegmentName, now: WallClockTime) throws(FileFault) -> Bool {
    guard let limit = limit(now), try files.modificationTime(segment.file) < limit else { return false }
    // Otherwise the record of a removal would call for the next removal, for ever.
    return try holdsRequests(segment)
  }

  private func holdsRequests(_ segment: SegmentName) throws(FileFault) -> Bool {
    var lines = try SegmentLines(segment.file, in: files)
    let result = Result { () throws(FileFault) in
      var found = false
      while !found, try lines.next({ found = ExpiredSegments.last(in: $0) == nil }) == .line {}
      return found
    }
    lines.close()
    return try result.get()
  }

  /// The segments at the journal's beginning that are too old and may go.
  /// - Parameters:
  ///   - isEnded: whether the last segment will get no more records, so that it may be among them.
  ///   - head: the journal's last record.
  ///   - removable: the last record that may be removed.
  /// - Returns: beside them, how many others are too old.
  func expired(
    in listing: JournalListing, isEnded: Bool, head: ChainHead, removable: Int, now: WallClockTime
  ) throws(FileFault) -> (ExpiredSegments?, overdue: Int) {
    guard let keptNanoseconds, let limit = limit(now) else { return (nil, 0) }
    let segments = listing.segments
    // One that a failed write left without a record is where the record of the removal will go.
    let ended = (isEnded ? segments[...] : segments.dropLast()).prefix { $0.firstSequence <= head.sequence }
    // Half of them at most, so that nothing that goes wrong takes all at once.
    let most = min(Self.mostSegments, (ended.count + 1) / 2)
    var old = 0
    while old < most, try files.modificationTime(segments[old].file) < limit { old += 1 }
    let last = { (index: Int) in
      index + 1 < segments.count ? segments[index + 1].firstSequence - 1 : head.sequence
    }
    let expired = (0..<old).prefix { last($0) <= removable }.count
    guard expired > 0 else { return (nil, old) }
    // A last segment that was begun and has no record yet names nothing.
    let next = expired < segments.count ? segments[expired] : nil
    let link = try next.flatMap { segment throws(FileFault) in try listing.linkBefore(segment, in: files) }
    return (
      ExpiredSegments(
        segments: Array(segments[..<expired]), last: link ?? head,
        retainSeconds: keptNanoseconds / 1_000_000_000), old - expired
    )
  }

  /// Removes segments of which the journal says already that they are gone.
  /// - Returns: how many bytes they held.
  func remove(_ segments: [SegmentName]) throws(FileFault) -> Int {
    guard !segments.isEmpty else { return 0 }
    var bytes = 0
    for name in segments {
      bytes += try files.size(of: name.file)
      try files.remove(name.file)
    }
    try files.synchronizeDirectory()
    return bytes
  }

  private func limit(_ now: WallClockTime) -> Int64? {
    keptNanoseconds.map { now.advanced(byNanoseconds: -$0).seconds }
  }
}
