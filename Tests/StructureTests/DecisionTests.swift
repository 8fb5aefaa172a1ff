import Foundation
import Testing

/// docs/decisions: every record is in the index and in the one form, and what code cites exists.
@Suite struct DecisionTests {
  private let root: URL
  private let records: [String: String]
  private let index: String

  init() throws {
    root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    let folder = root.appending(path: "docs/decisions")
    var records: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "README.md" {
      records[name] = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    self.records = records
    index = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
  }

  @Test func theIndexHasEachRecordAndNoOther() throws {
    let links = index.matches(of: #/\[(\d+)\]\((\d{4}-[a-z0-9-]+\.md)\)/#)
    #expect(links.map { String($0.output.2) }.sorted() == records.keys.sorted())
    for link in links { #expect(Int(link.output.1) == Int(link.output.2.prefix(4))) }
  }

  @Test func everyRecordIsInOneForm() {
    for (name, text) in records {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let number = Int(name.prefix(4)) ?? 0
      // A record that a later one changes has one line more, which says so.
      let labels = ["Context", "Decision", "Why", "Price"] + (lines.count == 8 ? ["Since"] : [])
      #expect(lines.count == labels.count + 3 && lines[1].isEmpty && lines.last == "", "\(name)")
      #expect(lines[0].hasPrefix("# \(number). "), "\(name)")
      for (line, label) in zip(lines.dropFirst(2), labels) {
        #expect(line.hasPrefix("**\(label).** "), "\(name)")
      }
    }
  }

  @Test func whatIsCitedExists() throws {
    let cited = try Finder(#"docs/decisions/(\d{4})"#)
    for file in try SourceTree(readingFrom: root).files {
      for (line, number) in cited.findings(in: file.text) {
        let exists = records.keys.contains { $0.hasPrefix("\(number)-") }
        #expect(exists, "\(file.path):\(line): no decision \(number)")
      }
    }
  }
}
