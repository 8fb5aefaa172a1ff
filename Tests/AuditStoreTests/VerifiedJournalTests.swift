import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditStore

@Suite struct VerifiedJournalTests {
  private let names = [1, 4, 7].map { SegmentName(firstSequence: $0).file }

  /// Three segments of three records each.
  private func journal() throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    for segment in 0..<3 {
      try writer.append((1...3).map { record("outcome", "\(3 * segment + $0)") })
      if segment < 2 { try writer.finishSegment() }
    }
    try writer.close()
    return files
  }

  private func lines(_ journal: VerifiedJournal) throws -> (given: [Int], ending: VerifiedJournal.Ending) {
    var given: [Int] = []
    let ending = try journal.forEachLine { line in
      given.append(RecordPrefix(line.span.bytes)?.sequence ?? 0)
      return true
    }
    return (given, ending)
  }

  private func alter(_ files: ScriptedFileSystem, record number: Int) throws {
    let name = names[(number - 1) / 3]
    var text = String(decoding: try #require(files.bytes(of: name)), as: UTF8.self)
    text = text.replacing("\"requestId\":\"\(number)\"", with: "\"requestId\":\"x\"")
    files.replace(name, with: Array(text.utf8))
  }

  @Test func allOfAGoodJournalIsGiven() throws {
    let (given, ending) = try lines(VerifiedJournal(try journal()))
    #expect(given == Array(1...9) && ending.problem == nil && ending.removed == nil)
  }

  @Test(arguments: 1...9) func nothingIsGivenFromTheFirstOnThatDoesNotHold(number: Int) throws {
    let files = try journal()
    try alter(files, record: number)
    let verified = try VerifiedJournal(files)
    let (given, ending) = try lines(verified)
    #expect(given == Array(1..<number))
    #expect(ending.problem?.sequence == number && ending.problem?.segment == names[(number - 1) / 3])
    var requests: [Text] = []
    _ = try verified.forEachRequest {
      requests.append($0.requestId)
      return true
    }
    #expect(requests == (1..<number).map { Text("\($0)") })
  }

  @Test(arguments: 1...9) func whatIsAlteredAfterTheCheckIsNotGiven(number: Int) throws {
    let files = try journal()
    let verified = try VerifiedJournal(files)
    try alter(files, record: number)
    let (given, ending) = try lines(verified)
    #expect(given == Array(1..<number) && ending.problem?.sequence == number)
  }

  @Test func whatIsWrittenAfterTheCheckIsNotRead() throws {
    let files = try journal()
    let verified = try VerifiedJournal(files)
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    try writer.append([record("outcome", "10")])
    try writer.finishSegment()
    try writer.append([record("outcome", "11")])
    try writer.close()
    let (given, ending) = try lines(verified)
    #expect(given == Array(1...9) && ending.problem == nil)
  }

  @Test func aTornLineIsTheEnd() throws {
    let files = try journal()
    files.replace(names[2], with: try #require(files.bytes(of: names[2])) + Array("{\"seq".utf8))
    let verified = try VerifiedJournal(files)
    let (given, ending) = try lines(verified)
    #expect(given == Array(1...9) && ending.problem == nil && verified.notices.count == 1)
  }

  @Test func whatRetentionTakesMeanwhileIsTold() throws {
    for removed in 1...2 {
      let files = try journal()
      let verified = try VerifiedJournal(files)
      for name in names.prefix(removed) { files.delete(name) }
      let (given, ending) = try lines(verified)
      #expect(given == Array((3 * removed + 1)...9))
      #expect(ending.problem == nil && ending.removed == 3 * removed)
    }
    // While the first is read.
    let files = try journal()
    let verified = try VerifiedJournal(files)
    var given: [Int] = []
    let ending = try verified.forEachLine { line in
      given.append(RecordPrefix(line.span.bytes)?.sequence ?? 0)
      files.delete(names[0])
      files.delete(names[1])
      return true
    }
    #expect(given == [1, 2, 3, 7, 8, 9] && ending.problem == nil && ending.removed == 6)
  }

  @Test func aSegmentThatIsGoneBeforeTheCheckIsAProblem() throws {
    let files = try journal()
    files.delete(names[1])
    let (given, ending) = try lines(VerifiedJournal(files))
    // What vouches for the third record is gone.
    #expect(given == [1, 2] && ending.problem?.kind == .missing(next: 7))
  }
}
