import AuditReconciliation
import Configuration
import Gateway
import Gzip

/// CloudTrail's log files in a folder and those below it, as they were copied from the trail's bucket.
struct CloudTrailFolder {
  let path: String

  /// CloudTrail's files have some megabytes; what a file unpacks to has a bound, too.
  private static let largest = 512 << 20
  private static let deepest = 16

  /// Gives each file's events.
  ///
  /// - Returns: files that are none of CloudTrail's.
  func forEachFile(_ body: ([CloudTrailEvent]) -> Void) throws(CommandFailure) -> [String] {
    var others: [String] = []
    try walk(path, depth: 0, &others, body)
    return others
  }

  private func walk(
    _ folder: String, depth: Int, _ others: inout [String], _ body: ([CloudTrailEvent]) -> Void
  ) throws(CommandFailure) {
    let files = DiskFiles()
    for name in try named(folder, { () throws(FileFault) in try files.names(in: folder) }).sorted() {
      let path = "\(folder)/\(name)"
      if name.hasSuffix(".json") || name.hasSuffix(".json.gz") {
        let bytes = try named(path) { () throws(FileFault) in try files.read(path).bytes }
        if let events = Self.events(bytes, isCompressed: name.hasSuffix(".gz")) {
          body(events)
        } else {
          others.append(path)
        }
      } else if depth < Self.deepest, (try? files.access(to: path)) != nil {
        try walk(path, depth: depth + 1, &others, body)
      }
    }
  }

  /// What goes wrong with a file or folder is said with its path.
  private func named<Value>(
    _ path: String, _ read: () throws(FileFault) -> Value
  ) throws(CommandFailure) -> Value {
    do throws(FileFault) {
      return try read()
    } catch {
      throw CommandFailure(.bad, "\(path): \(error.message)")
    }
  }

  private static func events(_ file: [UInt8], isCompressed: Bool) -> [CloudTrailEvent]? {
    guard isCompressed else { return CloudTrailEvent.events(in: file) }
    return GzipMember.decompressing(file, limit: largest).flatMap { CloudTrailEvent.events(in: $0) }
  }
}
