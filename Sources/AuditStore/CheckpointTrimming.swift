internal import AuditTrail

/// Takes away the checkpoints that are about removed records only.
///
/// The last one that is about the base, or about a record before it, stays and begins the file: those before it vouch
/// for nothing that is still there, and `verify` takes such a beginning, and no other, for what retention left. What
/// is kept is copied and then renamed over the file, a part at each checkpoint, because the requests' thread does it.
struct CheckpointTrimming {
  private let files: any JournalFileSystem
  /// For which base the file was looked through.
  private var lookedFor: ChainHead?
  private var copy: Copy?

  private struct Copy {
    /// What is kept begins here.
    let start: Int
    /// As far as it is copied.
    var end: Int
  }

  private static let partial = "\(Checkpoint.file).partial"
  /// How much is copied at once.
  private let part: Int
  /// Some lines.
  private static let fewLines = 4096

  init(in files: any JournalFileSystem, part: Int = 4 << 20) {
    self.files = files
    self.part = part
  }

  /// Goes on with what is to be done, which is only worth while when half of the file goes.
  /// - Parameters:
  ///   - base: the record before the first that is kept.
  ///   - end: the file's end; all of it is on disk.
  /// - Returns: how many bytes the file has become shorter; 0 as long as it is not replaced.
  mutating func advance(below base: ChainHead, end: Int) throws(FileFault) -> Int {
    if copy == nil {
      guard lookedFor != base else { return 0 }
      let start = try startOfKept(base, end: end)
      lookedFor = base
      guard start > 0, start >= end / 2 else { return 0 }
      copy = Copy(start: start, end: start)
    }
    guard var copy else { return 0 }
    self.copy = nil
    do throws(FileFault) {
      try copyPart(&copy, end: end)
      guard copy.end == end else {
        self.copy = copy
        return 0
      }
      try files.rename(Self.partial, to: Checkpoint.file)
      return copy.start
    } catch {
      lookedFor = nil
      // It takes room that the journal may need.
      try? files.remove(Self.partial)
      throw error
    }
  }

  private func copyPart(_ copy: inout Copy, end: Int) throws(FileFault) {
    let source = try files.open(Checkpoint.file, .read)
    defer { files.close(source) }
    let target = try files.open(Self.partial, .write)
    defer { files.close(target) }
    if copy.end == copy.start { try files.truncate(target, to: 0) }
    let count = min(part, end - copy.end)
    let bytes = try files.contents(of: source, from: copy.end, count: count)
    try files.writeAll(target, named: Self.partial, at: copy.end - copy.start, bytes)
    copy.end += count
    if copy.end == end { try files.synchronize(target) }
  }

  /// Where the last line begins that is about `base` or a record before it; 0 when there is none.
  private func startOfKept(_ base: ChainHead, end: Int) throws(FileFault) -> Int {
    var low = 0
    var high = end
    while high - low > Self.fewLines {
      let middle = low + (high - low) / 2
      if let line = try lines(from: middle, most: 1).first, line.start < high,
        line.head.sequence <= base.sequence
      {
        low = line.start
      } else {
        high = middle
      }
    }
    return try lines(from: low, most: Self.fewLines)
      .prefix { $0.start < end && $0.head.sequence <= base.sequence }.last?.start ?? 0
  }

  /// The lines that begin at `offset` or after it, as far as they can be read.
  private func lines(from offset: Int, most: Int) throws(FileFault) -> [(start: Int, head: ChainHead)] {
    // From the byte before, so that the rest of a line can be told from a whole one.
    var lines = try SegmentLines(
      Checkpoint.file, in: files, from: max(0, offset - 1), longestLine: Self.fewLines)
    let result = Result { () throws(FileFault) in
      var found: [(start: Int, head: ChainHead)] = []
      if offset > 0 { guard try lines.next({ _ in }) == .line else { return found } }
      while found.count < most {
        let start = lines.offset
        var head: ChainHead?
        let item = try lines.next { head = Checkpoint.read($0.withUnsafeBytes { Array($0) })?.0.head }
        guard item == .line, let head else { break }
        found.append((start, head))
      }
      return found
    }
    lines.close()
    return try result.get()
  }
}
