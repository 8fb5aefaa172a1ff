internal import AuditTrail

/// What lies in a journal's directory.
struct JournalListing {
  enum Mark {
    case read(HeadMark)
    case absent
    case unreadable
  }

  let mark: Mark
  /// In order; without those that were given up before they could be removed.
  let segments: [SegmentName]
  /// Segments of which no record is kept any more.
  let leftovers: [SegmentName]

  /// Whether there is anything that a gateway leaves at its first start.
  let isOfJournal: Bool

  init(_ files: any JournalFileSystem) throws(FileFault) {
    // The mark first: what it promises is in the segments by the time they are listed.
    mark = try Self.readMark(files)
    let names = try files.names()
    let all = names.compactMap { SegmentName(file: $0) }.sorted()
    isOfJournal = !all.isEmpty || names.contains(HeadMark.file) || names.contains(Checkpoint.file)
    var given = 0
    if case .read(let mark) = mark {
      while given + 1 < all.count, all[given + 1].firstSequence <= mark.base.sequence + 1 { given += 1 }
    }
    leftovers = Array(all[..<given])
    segments = Array(all[given...])
  }

  var headMark: HeadMark? {
    if case .read(let mark) = mark { mark } else { nil }
  }

  /// The record before the first that is kept; `nil` when nothing says which that is.
  func base() -> ChainHead? {
    if let headMark { return headMark.base }
    return (segments.first?.firstSequence ?? 1) == 1 ? .genesis : nil
  }

  /// Whether retention has removed the record, and perhaps what came after it.
  func isExpired(_ record: ChainHead) -> Bool { (headMark?.base.sequence ?? 0) >= record.sequence }

  /// What cannot be checked for want of a mark.
  var markNotices: [String] {
    let reason =
      switch mark {
      case .read: ""
      case .absent: "missing"
      case .unreadable: "unreadable"
      }
    guard !reason.isEmpty else { return [] }
    return ["\(HeadMark.file) is \(reason): records that were cut off at the end would not be noticed"]
  }

  /// A reader may see the mark while it is written.
  private static func readMark(_ files: any JournalFileSystem) throws(FileFault) -> Mark {
    guard try files.names().contains(HeadMark.file) else { return .absent }
    for _ in 0..<16 {
      guard let bytes = try files.contents(of: HeadMark.file, limit: 1024) else { return .unreadable }
      if let mark = HeadMark(bytes) { return .read(mark) }
      // Made, and not yet written to.
      if bytes.isEmpty { return .absent }
    }
    return .unreadable
  }
}
