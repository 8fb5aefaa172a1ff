package import AuditTrail
internal import Glibc
package import OpenSSLCrypto

/// What a check of a whole journal found.
package struct JournalVerification: Sendable {
  /// As far as it is good.
  package let extent: ChainVerifier.Extent
  /// The first thing that is wrong; `nil`: every record is what it was when it was written, and none is missing.
  package let problem: ChainProblem?
  /// What could not be checked.
  package let notices: [String]
  /// The record before the first that is kept.
  let base: ChainHead
  /// The last record of each segment that is good to its end.
  let lastRecords: [SegmentName: ChainHead]
}

extension JournalVerification {
  /// Checks the journal in a directory, whether or not a gateway is writing it.
  /// - Parameters:
  ///   - keys: with any, signatures are checked, and there must be some; each may be of any of these keys.
  ///   - kept: checkpoints that somebody kept, which the journal must agree with.
  ///   - progress: called every few thousand records with how many were checked, and of how many at least, when
  ///     `checkpoint.head` tells.
  package init(
    ofDirectory path: String, keys: [Ed25519PublicKey] = [], kept: [Checkpoint] = [],
    progress: (_ done: Int, _ total: Int?) -> Void = { _, _ in }
  ) throws(FileFault) {
    try self.init(of: PosixFileSystem(path, creating: false), keys: keys, kept: kept, progress: progress)
  }

  init(
    of files: any JournalFileSystem, keys: [Ed25519PublicKey] = [], kept: [Checkpoint] = [],
    progress: (_ done: Int, _ total: Int?) -> Void = { _, _ in }
  ) throws(FileFault) {
    var outcome = Self.run(files, keys: keys, kept: kept, progress: progress)
    // Retention has removed a segment since they were listed, so the journal has another beginning now.
    while case .failure(let fault) = outcome, fault.isExpiry {
      outcome = Self.run(files, keys: keys, kept: kept, progress: progress)
    }
    self = try outcome.get()
  }

  private static func run(
    _ files: any JournalFileSystem, keys: [Ed25519PublicKey], kept: [Checkpoint],
    progress: (_ done: Int, _ total: Int?) -> Void
  ) -> Result<JournalVerification, FileFault> {
    Result { () throws(FileFault) in
      // The checkpoints first: what they are about is in the segments by the time they are listed, and what is taken
      // away meanwhile is about records that are not read.
      var check = try CheckpointCheck(kept: kept, keys: keys, in: files)
      let outcome = Result { () throws(FileFault) in try scan(files, with: &check, progress: progress) }
      let expired = check.expired
      check.close()
      let (listing, base, found, problem) = try outcome.get()
      return JournalVerification(
        extent: found.extent, problem: problem,
        notices: (listing.segments.isEmpty ? [] : listing.markNotices)
          + (found.extent.dropped == 0
            ? []
            : [
              "\(found.extent.dropped) records were cut after they had been on disk; `dropped` records say which"
            ])
          + (expired == 0
            ? [] : ["\(expired) of the kept checkpoints are about records that retention has removed since"])
          + suppression(found.extent),
        base: base, lastRecords: found.lastRecords)
    }
  }

  private static func suppression(_ extent: ChainVerifier.Extent) -> [String] {
    guard extent.suppressed > 0 else { return [] }
    return [
      "\(extent.suppressedRequests) refused requests are not recorded one by one; \(extent.suppressed) `suppressed` "
        + "records tell how many of which kind"
    ]
  }

  private static func scan(
    _ files: any JournalFileSystem, with check: inout CheckpointCheck,
    progress: (_ done: Int, _ total: Int?) -> Void
  ) throws(FileFault) -> (JournalListing, ChainHead, JournalScan, ChainProblem?) {
    let listing = try JournalListing(files)
    guard listing.isOfJournal else { throw FileFault(.read, HeadMark.file, code: ENOENT) }
    let base = try listing.base(in: files)
    let total = listing.headMark.map { $0.head.sequence - base.sequence }
    let verifier = ChainVerifier(
      from: base.sequence + 1, after: base, mark: listing.headMark, isWhole: true)
    if let found = try check.advance(to: base) {
      return (listing, base, try JournalScan([SegmentName](), with: verifier, in: files), found)
    }
    var looksLeft = looksAtTornLine
    let scan = try JournalScan(
      listing.segments, with: verifier, in: files,
      waitForRest: {
        looksLeft -= 1
        guard looksLeft > 0, (try? JournalLock.isHeld(in: files)) == true else { return false }
        usleep(5000)
        return true
      },
      witness: { head throws(FileFault) in
        if head.sequence & 8191 == 0 { progress(head.sequence - base.sequence, total) }
        return head.sequence >= check.due ? try check.advance(to: head) : nil
      })
    if let problem = scan.problem { return (listing, base, scan, problem) }
    return (listing, base, scan, try check.finish(at: scan.extent.head))
  }

  /// A gateway that is writing shows lines that are not whole for some microseconds.
  private static let looksAtTornLine = 100
}
