import AuditTrail
import FileWriting
import Foundation
import Gzip
import OpenSSLCrypto
import Primitives
import Testing

@testable import AuditExport

/// Exports one after the other into the same folder, while retention takes the journal's beginning away.
@Suite struct CloudTrailExportTests {
  private let place: TemporaryFolder

  init() throws { place = try TemporaryFolder() }

  /// Exports the requests of these hours; `isCut`: retention has removed what was before.
  private func export(
    _ hours: Range<Int>, isCut: Bool = false, since: WallClockTime? = nil, until: WallClockTime? = nil
  ) throws -> Int {
    var export = CloudTrailExport(
      into: try ExportFolder(place.path), since: since, until: until, key: nil,
      firstLeft: isCut ? hour(hours.lowerBound) : nil)
    for number in hours { try export.take(try request(number), at: home) }
    try export.finish()
    return export.fileCount
  }

  private func digests() -> [String] { place.files.keys.filter { $0.contains("CloudTrail-Digest") }.sorted() }

  @Test func eachHourHasALogAndADigest() throws {
    let count = try export(0..<3)
    #expect(count == place.files.count && digests().count == 3)
    for (name, content) in place.files {
      #expect(GzipMember.decompressing(content, limit: 1 << 20) != nil, "\(name)")
    }
  }

  @Test func exportingAgainChangesNothing() throws {
    _ = try export(0..<3)
    let first = place.files
    _ = try export(0..<3)
    #expect(place.files == first)
  }

  @Test func theChainGoesOnWhereTheJournalDoesNotReach() throws {
    _ = try export(0..<4)
    let first = place.files
    for cut in 1..<4 {
      _ = try export(cut..<4, isCut: true)
      #expect(place.files == first, "from hour \(cut)")
    }
  }

  @Test func aDigestThatIsNoneIsNotBuiltUpon() throws {
    _ = try export(0..<3)
    try Data("something else".utf8).write(to: URL(filePath: "\(place.path)/\(digests()[0])"))
    let failure = #expect(throws: WritingFailure.self) { _ = try export(1..<3, isCut: true) }
    #expect(failure?.message.contains("is no digest file of this command") == true)
  }

  @Test func timesAreWholeHours() throws {
    let halfPast = hour(1).advanced(byNanoseconds: 1_800_000_000_000)
    _ = try export(0..<4, since: halfPast, until: hour(3))
    #expect(digests().count == 2, "of hours 1 and 2")
  }

  @Test func aSignatureGoesWhenItsKeyHasGone() throws {
    _ = try export(0..<1)
    let digest = digests()[0]
    try Data([1]).write(to: URL(filePath: "\(place.path)/\(digest).sig"))
    _ = try export(0..<1)
    #expect(place.files["\(digest).sig"] == nil)
  }
}
