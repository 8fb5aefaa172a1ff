import Configuration
import Primitives
import Testing

@testable import Gateway

@Suite struct SettlingTests {
  private func at(_ milliseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
  }

  @Test func aChangeIsLookedAfterOnceItIsQuiet() {
    var settling = Settling()
    #expect(settling.due(at(0)) == false)
    settling.changed(now: at(0))
    settling.changed(now: at(200))
    let due = stride(from: Int64(200), through: 2000, by: 50).filter { settling.due(at($0)) }
    #expect(due == [500])
  }

  @Test func whatNeverRestsIsFollowedToo() {
    var settling = Settling()
    var due: [Int64] = []
    for time in stride(from: Int64(0), through: 7000, by: 100) {
      settling.changed(now: at(time))
      if settling.due(at(time)) { due.append(time) }
    }
    #expect(due == [3000, 6100])
  }
}

extension Settling {
  fileprivate mutating func due(_ now: MonotonicInstant) -> Bool { isDue(now: now) }
}

@Suite struct LoadedFilesTests {
  /// A folder `policies`, and others.
  private struct Files: FileSource {
    let contents: [String: String]
    var permissions: UInt16 = 0o600

    func read(_ path: String) throws(FileFault) -> FileContents {
      guard let text = contents[path] else { throw .missing }
      return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: permissions))
    }
    func names(in directory: String) throws(FileFault) -> [String] {
      contents.keys.filter { $0.hasPrefix("policies/") }.map { String($0.dropFirst("policies/".count)) }
    }
    func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
    func identity(of directory: String) throws(FileFault) -> String { directory }
  }

  @Test func contentsModesAndDocumentsCount() throws {
    let files = Files(contents: ["a.json": "1", "policies/p.json": "{}"])
    let recording = RecordingFiles(files)
    _ = try recording.read("a.json")
    _ = try? recording.read("missing")
    _ = try recording.names(in: "policies")
    let record = recording.record
    func differs(_ contents: [String: String]) -> Bool { record.differ(from: Files(contents: contents)) }
    #expect(!record.differ(from: files))
    #expect(differs(["a.json": "2", "policies/p.json": "{}"]))
    #expect(differs(["a.json": "1", "missing": "", "policies/p.json": "{}"]))
    #expect(differs(["policies/p.json": "{}"]))
    #expect(differs(["a.json": "1", "policies/p.json": "{}", "policies/q.json": ""]))
    #expect(record.differ(from: Files(contents: files.contents, permissions: 0o644)))
    // What an editor leaves beside a policy is none.
    #expect(!differs(["a.json": "1", "policies/p.json": "{}", "policies/.p.swp": ""]))
  }
}
