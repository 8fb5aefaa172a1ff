import AuditShipping
import Foundation
import Testing

@Suite struct MigrationTests {
  /// Whoever makes the tables by hand gets what the gateway would make.
  @Test func filesAreWhatTheGatewayRuns() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appending(path: "deploy/postgres")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files.count == Migrations.latest)
    for (index, file) in files.enumerated() {
      #expect(file.hasPrefix("00\(index + 1)-"))
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      #expect(text == Migrations.script(index + 1, schema: "gatehouse"))
    }
  }

  @Test func anotherSchemaIsNamedEverywhere() {
    let script = Migrations.script(1, schema: "audit_copy")
    #expect(!script.contains("gatehouse"))
    #expect(script.contains("CREATE TABLE IF NOT EXISTS audit_copy.journal ("))
  }
}
