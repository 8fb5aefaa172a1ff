import AuditTrail
import Foundation
import Primitives

/// A folder that goes with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All files below it with what is in them.
  var files: [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for name in (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [] {
      if let content = FileManager.default.contents(atPath: "\(path)/\(name)"), !isFolder(name) {
        found[name] = Array(content)
      }
    }
    return found
  }

  func isFolder(_ name: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
      && isFolder.boolValue
  }

  func permissions(of name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
    return attributes[.posixPermissions] as? Int ?? -1
  }
}

/// 2026-11-23T13:00:00Z and so many hours later.
func hour(_ number: Int) -> WallClockTime { WallClockTime(seconds: 1_795_438_800 + Int64(number) * 3600) }

let home = ExportPlace(account: "123456789012", region: "us-east-1")

/// One request an hour.
func request(_ number: Int) throws -> RequestHistory {
  let line = """
    {"sequence":\(number + 1),"previous":"sha256:00","recordVersion":1,"record":"outcome",\
    "requestId":"00000000-0000-4000-8000-00000000000\(number)","time":"\(hour(number).rfc3339)","tenant":"crm",\
    "operation":"ListAppInstances","decision":"allowed","outcome":"succeeded","status":200,"durationMs":1}
    """
  let record = JournalRecord(line: Array(line.utf8))
  guard let record else { throw Unusable(line: line) }
  return RequestHistory(first: record, second: nil)
}

struct Unusable: Error { let line: String }
