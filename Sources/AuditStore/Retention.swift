internal import AuditTrail
internal import Primitives

/// Removes segments whose last record is older than the settings want to keep.
struct Retention {
  let files: any JournalFileSystem
  /// `nil`: nothing is ever removed.
  let keptNanoseconds: Int64?

  /// The base moves first: what is below it counts as gone, whether it is removed yet or not.
  func apply(to segments: SegmentWriter, now: WallClockTime) throws(FileFault) {
    guard let keptNanoseconds else { return }
    let limit = now.advanced(byNanoseconds: -keptNanoseconds).seconds
    let listing = try JournalListing(files)
    var expired = 0
    // The last segment is never removed, so that the journal's end stays where it is.
    while expired + 1 < listing.segments.count,
      try files.modificationTime(listing.segments[expired].file) < limit
    {
      expired += 1
    }
    guard expired > 0 else { return }
    try segments.moveBase(to: listing.linkBefore(listing.segments[expired], in: files))
    for name in listing.segments[..<expired] { try files.remove(name.file) }
    try files.synchronizeDirectory()
  }
}
