internal import AuditTrail

/// One run of the verifier over some segments.
struct JournalScan {
  let extent: ChainVerifier.Extent
  /// The first thing that is wrong.
  let problem: ChainProblem?
  /// Where the last good record ends in the last segment that was read.
  let end: Int
  /// The last record of each segment that is good to its end.
  let lastRecords: [SegmentName: ChainHead]

  /// - Parameters:
  ///   - segments: in order, the last of them the journal's last.
  ///   - waitForRest: called when the last line is not whole; whether to look again.
  init(
    _ segments: some BidirectionalCollection<SegmentName>, with verifier: ChainVerifier,
    in files: any JournalFileSystem, waitForRest: () -> Bool = { false },
    witness: (ChainHead) throws(FileFault) -> ChainProblem? = { _ in nil }
  ) throws(FileFault) {
    var verifier = verifier
    var problem: ChainProblem?
    var end = 0
    var lastRecords: [SegmentName: ChainHead] = [:]
    for name in segments {
      problem = verifier.begin(name)
      guard problem == nil else { break }
      end = 0
      problem = try Self.read(
        name, from: &end, with: &verifier, in: files,
        waitForRest: name == segments.last ? waitForRest : { false }, witness: witness)
      guard problem == nil else { break }
      lastRecords[name] = verifier.extent.head
    }
    self.problem = problem ?? verifier.finish()
    self.lastRecords = lastRecords
    extent = verifier.extent
    self.end = end
  }

  private static func read(
    _ name: SegmentName, from end: inout Int, with verifier: inout ChainVerifier,
    in files: any JournalFileSystem, waitForRest: () -> Bool,
    witness: (ChainHead) throws(FileFault) -> ChainProblem?
  ) throws(FileFault) -> ChainProblem? {
    while true {
      var lines = try SegmentLines(name.file, in: files, from: end)
      let result = Result { () throws(FileFault) in
        try read(&lines, from: &end, with: &verifier, witness: witness)
      }
      lines.close()
      switch try result.get() {
      case .whole: return nil
      case .bad(let problem): return problem
      case .torn(let bytes):
        guard waitForRest() else { return verifier.finish(tornAfter: bytes) }
      }
    }
  }

  private enum Reading {
    case whole
    case bad(ChainProblem)
    case torn(bytes: Int)
  }

  private static func read(
    _ lines: inout SegmentLines, from end: inout Int, with verifier: inout ChainVerifier,
    witness: (ChainHead) throws(FileFault) -> ChainProblem?
  ) throws(FileFault) -> Reading {
    while true {
      switch try lines.next() {
      case .line:
        if let problem = verifier.take(lines.line.bytes) { return .bad(problem) }
        end = lines.offset
        if let found = try witness(verifier.extent.head) { return .bad(found) }
      case .end(tornBytes: 0): return .whole
      case .end(let bytes): return .torn(bytes: bytes)
      case .tooLong: return .bad(verifier.finishTooLong())
      }
    }
  }
}
