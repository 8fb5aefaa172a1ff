internal import AuditTrail

/// Writes batches of records to the journal's segments. It belongs to one thread.
///
/// The fault model: a write may fail, wholly or in part; a synchronisation may fail, and then what it covered may or
/// may not be on disk, and asking again proves nothing. After a failed write the file is cut back to where the write
/// began; after a failed synchronisation to what is known to be on disk, and what was written since begins a new
/// segment. Until the cut is on disk nothing else is written: two continuations of one record would be a fork that no
/// reader could tell from a forgery.
final class SegmentWriter {
  private struct Segment {
    let name: SegmentName
    let file: OpenFile
    /// Where the next record goes.
    var end: Int
    /// As far as it is known to be on disk.
    var synchronizedEnd: Int
  }

  /// A segment that must be cut back before anything else is written.
  private struct Distrusted {
    let segment: Segment
    /// To what size.
    var end: Int
  }

  let files: any JournalFileSystem
  private let segmentSize: Int
  /// `nil` after a failed synchronisation: that descriptor is not asked again.
  private var markFile: OpenFile?
  private var segment: Segment?
  private var distrusted: Distrusted?
  /// The lines after `synchronizedHead`: written, and not known to be on disk.
  private var unsynchronized = ChainedLines()

  /// The last record that was written.
  private(set) var head: ChainHead
  private var synchronizedHead: ChainHead
  private var mark: HeadMark
  private var isMarkCurrent = false

  /// Continues a journal as recovery left it.
  /// - Parameter first: a record that is on disk before the mark forgets what recovery dropped.
  init(
    _ recovered: RecoveredJournal, in files: any JournalFileSystem, segmentSize: Int,
    beginning first: [UInt8]? = nil
  ) throws(FileFault) {
    self.files = files
    self.segmentSize = segmentSize
    head = recovered.head
    synchronizedHead = recovered.head
    mark = HeadMark(head: recovered.head, base: recovered.base)
    let file = try files.open(HeadMark.file, .write)
    markFile = file
    do throws(FileFault) {
      try openLast(recovered.lastSegment)
      if let first {
        try append { $0.append(first, after: &$1) }
        try synchronize()
      }
      // Not before it is written: a crash in between would leave no mark.
      try writeMark(durably: true)
      if try files.size(file) > mark.bytes.count {
        try files.truncate(file, to: mark.bytes.count)
        try files.synchronize(file)
      }
      try files.synchronizeDirectory()
    } catch {
      closeFiles()
      throw error
    }
  }

  /// Whether records are written that are not known to be on disk.
  var isUnsynchronized: Bool { synchronizedHead != head }

  /// The record before the first that is kept.
  var base: ChainHead { mark.base }

  /// The first record of the segment at hand; `nil` when the next record begins one.
  var currentSegment: SegmentName? { segment?.name }

  /// Chains and writes all records that `body` appends, or none. They are not yet on disk.
  func append(_ body: (inout ChainedLines, inout ChainHead) -> Void) throws(FileFault) {
    try cutBackDistrusted()
    if let segment, segment.end >= segmentSize { try finishSegment() }
    // Before the batch is among the lines, as a new segment gets all of them.
    let segment = try openSegment()
    let start = unsynchronized.count
    var next = head
    body(&unsynchronized, &next)
    do throws(FileFault) {
      try files.writeAll(segment.file, named: segment.name.file, at: segment.end, unsynchronized, from: start)
    } catch {
      unsynchronized.truncate(to: start)
      distrustSegment(from: segment.end)
      throw error
    }
    self.segment?.end += unsynchronized.count - start
    head = next
  }

  /// Returns when everything that was written is on disk. When that fails, it will be written again.
  func synchronize() throws(FileFault) {
    guard isUnsynchronized else { return }
    try cutBackDistrusted()
    var segment = try openSegment()
    do throws(FileFault) {
      try files.synchronize(segment.file)
    } catch {
      distrustSegment(from: segment.synchronizedEnd)
      throw error
    }
    segment.synchronizedEnd = segment.end
    self.segment = segment
    noteSynchronized()
  }

  /// Gives up what is not known to be on disk, because nobody was told that it is.
  func forgetUnsynchronized() {
    guard isUnsynchronized else { return }
    if let segment { distrustSegment(from: segment.synchronizedEnd) }
    unsynchronized.removeAll()
    head = synchronizedHead
  }

  /// Ends the segment, so that the next record begins another. Does nothing when it has no record.
  func finishSegment() throws(FileFault) {
    try synchronize()
    guard let segment, segment.end > 0 else { return }
    // The mark promises less than there is when this fails, never more.
    try? writeMark(durably: true)
    files.close(segment.file)
    self.segment = nil
  }

  /// Says in `checkpoint.head` what is on disk. A failure leaves the old, lower promise.
  func updateMark() {
    guard !isMarkCurrent else { return }
    try? writeMark(durably: false)
  }

  /// Forgets that records up to `base` are kept; called before their segments are removed.
  func moveBase(to base: ChainHead) throws(FileFault) {
    let former = mark.base
    mark.base = base
    do throws(FileFault) {
      try writeMark(durably: true)
    } catch {
      mark.base = former
      throw error
    }
  }

  /// Synchronises, writes the mark and closes all files.
  func close() throws(FileFault) {
    defer { closeFiles() }
    try cutBackDistrusted()
    try synchronize()
    try writeMark(durably: true)
  }

  private func openLast(_ last: RecoveredJournal.Segment?) throws(FileFault) {
    guard let last else { return }
    let file = try files.open(last.name.file, .write)
    segment = Segment(name: last.name, file: file, end: last.end, synchronizedEnd: last.end)
    // What a killed process wrote may still be in memory only. And when one of its synchronisations failed, the system
    // may take for written what is not, and would not write it now unless it were written again.
    if last.isInDoubt { try files.rewrite(file, named: last.name.file, upTo: last.end) }
    try files.synchronize(file)
  }

  /// The segment to write to. A new one gets first what was written to a distrusted one.
  private func openSegment() throws(FileFault) -> Segment {
    if let segment { return segment }
    let name = SegmentName(firstSequence: synchronizedHead.sequence + 1)
    let file = try files.open(name.file, .write)
    do throws(FileFault) {
      // A former attempt may have left something.
      try files.truncate(file, to: 0)
      try files.synchronizeDirectory()
      try files.writeAll(file, named: name.file, at: 0, unsynchronized)
    } catch {
      files.close(file)
      throw error
    }
    let opened = Segment(name: name, file: file, end: unsynchronized.count, synchronizedEnd: 0)
    segment = opened
    return opened
  }

  private func distrustSegment(from end: Int) {
    guard let segment else { return }
    distrusted = Distrusted(segment: segment, end: end)
    // Its descriptor is not asked again.
    files.close(segment.file)
    self.segment = nil
    // At once if possible, so that readers do not see what may go away.
    try? cutBackDistrusted()
  }

  private func cutBackDistrusted() throws(FileFault) {
    guard let distrusted else { return }
    let file = try files.open(distrusted.segment.name.file, .write)
    defer { files.close(file) }
    try files.truncate(file, to: distrusted.end)
    do throws(FileFault) {
      try files.synchronize(file)
    } catch {
      // Now what was written since the last synchronisation is in doubt as well; it is still in memory.
      self.distrusted?.end = distrusted.segment.synchronizedEnd
      throw error
    }
    self.distrusted = nil
    if distrusted.end > distrusted.segment.synchronizedEnd { noteSynchronized() }
  }

  private func noteSynchronized() {
    unsynchronized.removeAll()
    synchronizedHead = head
    isMarkCurrent = false
  }

  private func writeMark(durably: Bool) throws(FileFault) {
    mark.head = synchronizedHead
    let file: OpenFile
    if let markFile { file = markFile } else { file = try files.open(HeadMark.file, .write) }
    markFile = file
    try files.writeAll(file, named: HeadMark.file, at: 0, mark.bytes)
    if durably {
      do throws(FileFault) {
        try files.synchronize(file)
      } catch {
        files.close(file)
        markFile = nil
        throw error
      }
    }
    isMarkCurrent = true
  }

  private func closeFiles() {
    if let segment { files.close(segment.file) }
    segment = nil
    distrusted = nil
    if let markFile { files.close(markFile) }
    markFile = nil
  }
}
