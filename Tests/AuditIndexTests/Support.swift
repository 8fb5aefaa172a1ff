import AuditStore
import AuditTrail
import Glibc
import Primitives
import TestSupport
import Testing

/// A journal in a folder of its own that goes with the test, written as a gateway writes it, one record after the other.
final class WrittenJournal {
  let path: String
  private var head = ChainHead.genesis
  private var segment = SegmentName(firstSequence: 1)
  private(set) var intents: [Int: (id: RequestID, sequence: Int)] = [:]

  init() throws {
    var template = Array("/tmp/gatehouse-index-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        unlink("\(path)/\(name)")
      }
      closedir(stream)
    }
    rmdir(path)
  }

  var lastSequence: Int { head.sequence }

  /// A line that is no record, between two records.
  func garbage() throws {
    let file = open(segmentPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(file) }
    try #require(write(file, "{\"no\":\"record\"}\n", 16) == 16)
  }

  /// What was found out about a request.
  func reconcile(_ number: Int, _ outcome: AuditOutcome) throws {
    let intent = try #require(intents[number])
    let result = AuditedResult(outcome, status: nil, durationNanoseconds: 0)
    try append(
      result.reconciledRecord(of: intent.id.text, intent: intent.sequence, at: Self.time(number, more: 2)))
  }

  var segmentPath: String { "\(path)/\(segment.file)" }

  func rotate() { segment = SegmentName(firstSequence: head.sequence + 1) }

  func remove(_ first: Int) { unlink("\(path)/\(SegmentName(firstSequence: first).file)") }

  func append(_ body: [UInt8]) throws {
    var lines = ChainedLines()
    lines.append(body, after: &head)
    let file = open(segmentPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(file) }
    let count = lines.withBytes { write(file, $0.baseAddress, $0.count) }
    try #require(file >= 0 && count == lines.count)
  }

  func intend(_ number: Int, _ change: (inout AuditedRequest) -> Void = { _ in }) throws {
    var request = Self.request(number)
    change(&request)
    try append(request.intentRecord(under: Sensitivity()))
    intents[number] = (request.id, head.sequence)
  }

  func conclude(_ number: Int, _ outcome: AuditOutcome, _ decision: AuditDecision? = nil) throws {
    let intent = try #require(intents[number])
    let result = AuditedResult(outcome, status: 201, durationNanoseconds: 1_000_000)
    try append(
      result.outcomeRecord(
        of: intent.id, intent: intent.sequence, at: Self.time(number, more: 1), decision: decision))
  }

  func only(
    _ number: Int, _ outcome: AuditOutcome = .notForwarded,
    _ change: (inout AuditedRequest) -> Void = { _ in }
  ) throws {
    var request = Self.request(number)
    request.decision = .denied
    change(&request)
    try append(
      request.outcomeRecord(
        AuditedResult(outcome, status: 403, durationNanoseconds: 1_000_000), under: Sensitivity()))
  }

  /// One request a second.
  static func time(_ number: Int, more nanoseconds: Int64 = 0) -> WallClockTime {
    WallClockTime(seconds: 1_795_438_800 + Int64(number)).advanced(byNanoseconds: nanoseconds)
  }

  private static func request(_ number: Int) -> AuditedRequest {
    var request = AuditedRequest(
      id: RequestID(from: FixedEntropy(UInt64(number) << 16)), time: time(number), decision: .allowed)
    request.tenant = Text(number % 3 == 0 ? "hr" : "crm")
    request.accessKeyId = Text("GHAK\(number % 4)")
    request.actor = number % 5 == 0 ? "alice" : nil
    request.operation = number % 2 == 0 ? "CreateAppInstanceUser" : "ListAppInstances"
    request.appInstanceArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one"
    request.appInstanceUserId = Text("user-\(number)")
    request.name = Text("Name \(number % 7)")
    request.tags = [.init(key: "Team", value: Text("team-\(number % 6)"))]
    return request
  }
}
