import AuditReconciliation
import AuditTrail
import HTTPWire
import Primitives
import StrictJSON

let app: Text = "arn:aws:chime:us-east-1:123456789012:app-instance/one"
let alice: Text = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/alice"

/// When the requests of these tests came: 2026-11-23T13:00:00.123Z.
let asked = WallClockTime(nanoseconds: 1_795_438_800_123_000_000)

/// A request that was forwarded and has no outcome.
/// - Parameter members: of its intent, as JSON.
func open(_ operation: String, _ members: String = "", sequence: Int = 1) throws -> RequestHistory {
  let line = """
    {"sequence":\(sequence),"previous":"sha256:00","recordVersion":1,"record":"intent",\
    "requestId":"00000000-0000-4000-8000-00000000000\(sequence)","time":"\(asked.rfc3339)","tenant":"crm",\
    "operation":"\(operation)","appInstanceArn":"\(app)","appInstanceUserId":"alice"\(members)}
    """
  let record = JournalRecord(line: Array(line.utf8))
  guard let record else { throw Unusable(line: line) }
  return RequestHistory(first: record, second: nil)
}

struct Unusable: Error { let line: String }

/// Answers as a test tells it to, and counts what it was asked.
final class ScriptedUpstream: UpstreamReading {
  enum Script {
    case answer(String)
    case notFound, refused, silent
  }

  var described = Script.notFound
  /// The pages of the list, one for each question.
  var pages: [Script] = []
  var tags = Script.notFound
  private(set) var questions = 0

  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer { try play(described) }

  func listUsers(of appInstance: Text, after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    try play(pages.isEmpty ? .refused : pages.removeFirst())
  }

  func listTags(of resource: Text) async throws(UpstreamUnavailable) -> ReadAnswer { try play(tags) }

  private func play(_ script: Script) throws(UpstreamUnavailable) -> ReadAnswer {
    questions += 1
    switch script {
    case .answer(let text):
      guard let document = try? JSONDocument(parsing: Array(text.utf8)) else { return .refused("bad script") }
      return .found(document)
    case .notFound: return .notFound
    case .refused: return .refused("403 ForbiddenException")
    case .silent: throw UpstreamUnavailable(reason: "no answer in time")
    }
  }

  /// What DescribeAppInstanceUser answers of alice.
  static func user(_ members: String) -> Script {
    .answer("{\"AppInstanceUser\":{\"AppInstanceUserArn\":\"\(alice)\"\(members)}}")
  }
}

func find(_ request: RequestHistory, _ upstream: ScriptedUpstream) async throws -> Finding {
  try await Reconciler(reader: upstream, tolerance: 300_000_000_000, values: QueryFilter()).find(request)
}
