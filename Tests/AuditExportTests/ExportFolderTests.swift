import Foundation
import TestSupport
import Testing

@testable import AuditExport

/// Files that are there whole or not at all.
@Suite struct ExportFolderTests {
  private let place: TemporaryFolder
  private let folder: ExportFolder

  init() throws {
    place = try TemporaryFolder()
    folder = try ExportFolder("\(place.path)/a/b", files: DiskReader())
  }

  @Test func whatIsMadeIsForItsOwner() throws {
    try folder.write([1, 2], as: "c/d/file")
    #expect(place.files == ["a/b/c/d/file": [1, 2]])
    #expect(try place.permissions(of: "a/b/c/d/file") == 0o600)
    #expect(try place.permissions(of: "a/b/c") == 0o700)
  }

  @Test func aFileThatWasNotFinishedLeavesNothing() throws {
    do {
      var file = try folder.open("file")
      // More than is held in memory.
      for _ in 0..<5 { try file.write([UInt8](repeating: 7, count: 100_000)) }
      #expect(place.files.keys.allSatisfy { $0.hasSuffix(".partial") } && place.files.count == 1)
    }
    #expect(place.files.isEmpty)
  }

  @Test func aFileIsReplacedAtOnce() throws {
    try folder.write([1], as: "file")
    var file = try folder.open("file")
    try file.write([2])
    #expect(place.files["a/b/file"] == [1])
    try file.finish()
    #expect(place.files == ["a/b/file": [2]])
  }

  @Test func piecesAreOneFile() throws {
    var random = SeededGenerator(seed: 5)
    var file = try folder.open("file")
    var whole: [UInt8] = []
    for _ in 0..<40 {
      let count = Int.random(in: 0...50_000, using: &random)
      let piece = (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ whole.count) }
      whole += piece
      try file.write(piece)
    }
    try file.finish()
    #expect(try folder.read("file") == whole)
  }

  @Test func whatIsNotThereIsNoFailure() throws {
    #expect(try folder.read("nothing") == nil)
    try folder.remove("nothing")
    #expect(try folder.last(in: "nothing", before: "z", ending: "") == nil)
  }

  @Test func aFileInTheWayIsNamed() throws {
    try folder.write([1], as: "file")
    let failure = #expect(throws: ExportFailure.self) { try folder.write([2], as: "file/below") }
    #expect(failure?.message == "\(place.path)/a/b/file: not a directory")
    #expect(throws: ExportFailure.self) {
      _ = try ExportFolder("\(place.path)/a/b/file/x", files: DiskReader())
    }
  }

  @Test func theLastFileIsFoundInTheOrderOfPaths() throws {
    for name in [
      "f/2026/11/22/a.gz", "f/2026/11/23/a.gz", "f/2026/11/23/b.gz", "f/2026/11/23/b.sig", "f/2026/12",
    ] {
      try folder.write([], as: name)
    }
    func last(before limit: String) throws -> String? {
      try folder.last(in: "f", before: limit, ending: ".gz")
    }
    #expect(try last(before: "f/2027") == "f/2026/11/23/b.gz")
    #expect(try last(before: "f/2026/11/23/b.gz") == "f/2026/11/23/a.gz")
    #expect(try last(before: "f/2026/11/23/a.gz") == "f/2026/11/22/a.gz")
    #expect(try last(before: "f/2026/11/22/a.gz") == nil)
  }
}
