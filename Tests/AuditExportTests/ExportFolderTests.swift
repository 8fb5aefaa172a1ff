import FileWriting
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
    folder = try ExportFolder("\(place.path)/a/b")
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
    let failure = #expect(throws: WritingFailure.self) { try folder.write([2], as: "file/below") }
    #expect(failure?.message == "\(place.path)/a/b/file: not a directory")
    #expect(throws: WritingFailure.self) {
      _ = try ExportFolder("\(place.path)/a/b/file/x")
    }
  }

  /// Somebody else's file and folder, which must stay as they are.
  private func plant() throws -> (file: String, folder: String) {
    let (file, folder) = ("\(place.path)/others", "\(place.path)/folder")
    try Data("kept".utf8).write(to: URL(filePath: file))
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return (file, folder)
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(place.path)/\(name)", withDestinationPath: target)
  }

  @Test func noLinkIsFollowed() throws {
    let others = try plant()
    try link("a/b/file", to: others.file)
    try link("a/b/dangling", to: "\(others.folder)/new")
    try link("a/b/sub", to: others.folder)
    for name in ["file", "dangling", "sub/file", "sub/deep/file"] {
      let failure = #expect(throws: WritingFailure.self, "\(name)") { try folder.write([1], as: name) }
      #expect(failure?.message.contains("symbolic link") == true, "\(name)")
    }
    #expect(throws: WritingFailure.self) { try folder.read("file") }
    #expect(throws: WritingFailure.self) { try folder.last(in: "sub", before: "z", ending: "") }
    for path in ["\(place.path)/link", "\(place.path)/link/"] {
      try? link("link", to: others.folder)
      #expect(throws: WritingFailure.self) { _ = try ExportFolder(path) }
    }
    #expect(place.files["others"] == Array("kept".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: others.folder).isEmpty)
  }

  @Test func aLinkThatIsPlantedWhileWritingIsNotFollowed() throws {
    let others = try plant()
    var file = try folder.open("file")
    try file.write([1])
    try link("a/b/file", to: others.file)
    #expect(throws: WritingFailure.self) { try file.finish() }
    #expect(place.files["others"] == Array("kept".utf8))
  }

  @Test func temporaryNamesCannotBeGuessed() throws {
    var names: Set<String> = []
    for _ in 0..<20 {
      let file = try folder.open("file")
      names.formUnion(place.files.keys)
      _ = consume file
    }
    #expect(names.count == 20 && place.files.isEmpty)
  }

  @Test func onlyRegularFilesAreWrittenOver() throws {
    #expect(mkfifo("\(place.path)/a/b/pipe", 0o600) == 0)
    try FileManager.default.createDirectory(
      atPath: "\(place.path)/a/b/taken", withIntermediateDirectories: false)
    for name in ["pipe", "taken"] {
      #expect(throws: WritingFailure.self) { try folder.write([1], as: name) }
      #expect(throws: WritingFailure.self) { try folder.read(name) }
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
