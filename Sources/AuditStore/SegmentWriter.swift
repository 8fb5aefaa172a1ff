internal import AuditTrail

/// Writes batches of records to the journal's segments. It belongs to one thread.
///
/// The fault model: a write may fail, wholly or in part; a synchronisation may fail, and then what it covered may or
/// may not be on disk, and asking again proves nothing. After a failed write the file is cut back to where the write
/// began; after a failed synchronisation to what is known to be on disk, and what was written since begins a new
/// segment. Until the cut is on disk nothing else is written: two continuations of one record would be a fork that no
/// reader could tell from a forgery.
final class SegmentWriter {
  struct Segment {
    let name: SegmentName
    let file: OpenFile
    let identity: FileIdentity
    let place: FilePlace
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
    /// Whether it is not in its place; then its descriptor is still open.
    var isDisplaced = false
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
  /// Bytes of the segments before the one at hand.
  private var finishedBytes: Int
  /// Whether a segment that was removed or replaced is written anew from its descriptor.
  var putsBack = false
  /// Called when that was done.
  var whenPutBack: (SegmentName) -> Void = { _ in }

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
    finishedBytes = 0
    let file = try files.open(HeadMark.file, .write)
    markFile = file
    do throws(FileFault) {
      finishedBytes = try Self.sizeOfSegments(in: files)
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

  var unsynchronizedCount: Int { head.sequence - synchronizedHead.sequence }

  /// The record before the first that is kept.
  var base: ChainHead { mark.base }

  /// The first record of the segment at hand; `nil` when the next record begins one.
  var currentSegment: SegmentName? { segment?.name }

  /// Whether a segment is being written.
  var isWritten: Bool { segment != nil }

  /// Bytes of all segments.
  var size: Int { finishedBytes + (segment?.end ?? 0) }

  /// Segments of so many bytes were removed by retention.
  func noteRemoved(bytes: Int) { finishedBytes -= bytes }

  /// Chains and writes all records that `body` appends, or none. They are not yet on disk.
  /// - Parameter checksPlace: whether nobody asks for the disk before the records count as written.
  func append(
    checksPlace: Bool = false, _ body: (inout ChainedLines, inout ChainHead) -> Void
  ) throws(FileFault) {
    try cutBackDistrusted()
    if let segment, segment.end >= segmentSize { try finishSegment() }
    // Before the batch is among the lines, as a new segment gets all of them.
    let segment = try openSegment()
    let start = unsynchronized.count
    var next = head
    body(&unsynchronized, &next)
    var written = segment
    written.end += unsynchronized.count - start
    do throws(FileFault) {
      try files.writeAll(segment.file, named: segment.name.file, at: segment.end, unsynchronized, from: start)
      if checksPlace { try checkPlace(of: written) }
    } catch {
      unsynchronized.truncate(to: start)
      distrustSegment(from: segment.end, after: error)
      throw error
    }
    self.segment = written
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
      distrustSegment(from: segment.synchronizedEnd, after: error)
      throw error
    }
    try requirePlace(of: segment)
    segment.synchronizedEnd = segment.end
    self.segment = segment
    noteSynchronized()
  }

  /// Looks whether all files are in their places, and mends what can be mended; to be called when nobody asks for
  /// anything.
  func settle() throws(FileFault) {
    try cutBackDistrusted()
    if let segment { try requirePlace(of: segment) }
    if let markFile, try files.find(HeadMark.file)?.identity != (try files.identity(markFile)) {
      forgetMarkFile()
    }
  }

  /// Distrusts the segment when it is not in its place. When nobody can tell, what it holds stands: it may have been
  /// acknowledged, and cutting it back would leave it in memory alone.
  private func requirePlace(of segment: Segment) throws(FileFault) {
    do throws(FileFault) {
      try checkPlace(of: segment)
    } catch {
      if error.operation == .displaced { distrustSegment(from: segment.synchronizedEnd, after: error) }
      throw error
    }
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
    finishedBytes += segment.end
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
    let file = try files.open(last.name.file, .append)
    let identity = try files.identity(file)
    segment = Segment(
      name: last.name, file: file, identity: identity, place: files.place(of: last.name.file), end: last.end,
      synchronizedEnd: last.end)
    finishedBytes -= last.end
    // What a killed process wrote may still be in memory only. And when one of its synchronisations failed, the system
    // may take for written what is not, and would not write it now unless it were written again.
    if last.isInDoubt { try files.rewrite(last.name.file, upTo: last.end) }
    try files.synchronize(file)
  }

  /// The segment to write to. A new one gets first what was written to a distrusted one.
  private func openSegment() throws(FileFault) -> Segment {
    if let segment { return segment }
    let name = SegmentName(firstSequence: synchronizedHead.sequence + 1)
    let file = try files.open(name.file, .append)
    let identity: FileIdentity
    do throws(FileFault) {
      identity = try files.identity(file)
      // A former attempt may have left something.
      try files.truncate(file, to: 0)
      try files.synchronizeDirectory()
      try files.writeAll(file, named: name.file, at: 0, unsynchronized)
    } catch {
      files.close(file)
      throw error
    }
    let opened = Segment(
      name: name, file: file, identity: identity, place: files.place(of: name.file),
      end: unsynchronized.count, synchronizedEnd: 0)
    segment = opened
    return opened
  }

  private func distrustSegment(from end: Int, after fault: FileFault? = nil) {
    guard let segment else { return }
    let isDisplaced = fault?.operation == .displaced
    distrusted = Distrusted(segment: segment, end: end, isDisplaced: isDisplaced)
    finishedBytes += end
    self.segment = nil
    // What it holds may be nowhere else.
    guard !isDisplaced else { return }
    // Its descriptor is not asked again.
    files.close(segment.file)
    // At once if possible, so that readers do not see what may go away.
    try? cutBackDistrusted()
  }

  private func cutBackDistrusted() throws(FileFault) {
    if let distrusted, distrusted.isDisplaced {
      try settlePlace(
        of: distrusted.segment, upTo: distrusted.end,
        distrusted.end > distrusted.segment.synchronizedEnd ? head : synchronizedHead)
      files.close(distrusted.segment.file)
      self.distrusted?.isDisplaced = false
      forgetMarkFile()
    }
    guard let distrusted else { return }
    let file = try files.open(distrusted.segment.name.file, .write)
    defer { files.close(file) }
    try files.truncate(file, to: distrusted.end)
    do throws(FileFault) {
      try files.synchronize(file)
    } catch {
      // Now what was written since the last synchronisation is in doubt as well; it is still in memory.
      finishedBytes -= distrusted.end - distrusted.segment.synchronizedEnd
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

  /// It may have been removed with the segment.
  private func forgetMarkFile() {
    if let markFile { files.close(markFile) }
    markFile = nil
    isMarkCurrent = false
  }

  func notePutBack(_ name: SegmentName) { whenPutBack(name) }

  private static func sizeOfSegments(in files: any JournalFileSystem) throws(FileFault) -> Int {
    var size = 0
    for name in try files.names() where SegmentName(file: name) != nil { size += try files.size(of: name) }
    return size
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
    if let distrusted, distrusted.isDisplaced { files.close(distrusted.segment.file) }
    segment = nil
    distrusted = nil
    if let markFile { files.close(markFile) }
    markFile = nil
  }
}
