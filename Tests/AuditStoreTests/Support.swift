import AuditTrail
import Glibc
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import AuditStore

/// A folder of its own that goes with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/gatehouse-audit-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) }) + "/audit"
  }

  deinit {
    let parent = String(path.dropLast("/audit".count))
    for folder in [path, parent] {
      for name in names(in: folder) { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
  }
}

func names(in folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

private let testTime = RunningClock().wallClock().rfc3339

/// A record's body as the journal takes it, of now.
func record(_ kind: String, _ id: String, padding: Int = 0) -> [UInt8] {
  Array(
    ("\"record\":\"\(kind)\",\"requestId\":\"\(id)\",\"time\":\"\(testTime)\","
      + "\"padding\":\"\(String(repeating: "x", count: padding))\"}").utf8)
}

extension Journal {
  /// As a collector's `intend`, from any thread and at once.
  func intend(_ record: [UInt8]) async throws(JournalFailure) -> Intent {
    try intent(await answer(to: record))
  }

  /// As a collector's `conclude`.
  func conclude(_ record: [UInt8]) { shared.add(outcome: record) }
}

extension JournalWriter {
  func write(_ records: [[UInt8]], durably: Bool) throws(FileFault) {
    try write(durably: durably) { lines, head in
      for record in records { lines.append(record, after: &head) }
    }
  }
}

extension SegmentWriter {
  func append(_ records: [[UInt8]]) throws(FileFault) {
    try append { lines, head in
      for record in records { lines.append(record, after: &head) }
    }
  }
}

/// A bundle of records: `i1` is an intent that 1 waits for, `o1` an outcome.
func bundle(_ records: String..., home: RecordAnswers? = nil) -> RecordBundle<Int> {
  let bundle = RecordBundle<Int>(home: home)
  for record in records {
    let bytes = Array(record.utf8)
    if record.hasPrefix("i") {
      bundle.append(intent: bytes.span, Int(record.dropFirst()) ?? 0)
    } else {
      bundle.append(outcome: bytes.span)
    }
  }
  return bundle
}

extension RecordBundle {
  var texts: [String] {
    var texts: [String] = []
    forEach { record, _ in texts.append(String(decoding: record.array, as: UTF8.self)) }
    return texts
  }
}

extension JournalShared {
  convenience init() { self.init(clock: RunningClock()) }
}

/// What a journal tells.
final class EventLog: Sendable {
  private let events = Mutex<[JournalEvent]>([])

  var all: [JournalEvent] { events.withLock { $0 } }

  func add(_ event: JournalEvent) { events.withLock { $0.append(event) } }
}
