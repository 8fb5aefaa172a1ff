package import AuditTrail
internal import Glibc

/// What a check of a whole journal found.
package struct JournalVerification: Sendable {
  /// As far as it is good.
  package let extent: ChainVerifier.Extent
  /// The first thing that is wrong; `nil`: every record is what it was when it was written, and none is missing.
  package let problem: ChainProblem?
  /// What could not be checked.
  package let notices: [String]
}

extension JournalVerification {
  /// Checks the journal in a directory, whether or not a gateway is writing it.
  package init(ofDirectory path: String) throws(FileFault) {
    try self.init(of: PosixFileSystem(path, creating: false))
  }

  init(of files: any JournalFileSystem) throws(FileFault) {
    let listing = try JournalListing(files)
    let base = try listing.base(in: files)
    let verifier = ChainVerifier(
      from: base.sequence + 1, after: base, mark: listing.headMark, isWhole: true)
    var patience = Self.looksAtTornLine
    let scan = try JournalScan(listing.segments, with: verifier, in: files) {
      patience -= 1
      guard patience > 0, (try? JournalLock.isHeld(in: files)) == true else { return false }
      usleep(5000)
      return true
    }
    extent = scan.extent
    problem = scan.problem
    notices = listing.segments.isEmpty ? [] : listing.markNotices
  }

  /// A gateway that is writing shows lines that are not whole for some microseconds.
  private static let looksAtTornLine = 100
}
