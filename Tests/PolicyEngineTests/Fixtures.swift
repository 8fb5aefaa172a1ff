import ChimeIdentity
import Configuration
import OpenSSLCrypto
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// A folder of policy files in memory.
struct PolicyFolder: FileSource {
  /// File name to text.
  var files: [String: String]

  func read(_ path: String) throws(FileFault) -> FileContents {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let text = files[name] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }

  func names(in directory: String) throws(FileFault) -> [String] { Array(files.keys) }
}

struct BadFixture: Error {
  let problems: [String]
}

let appInstance = "arn:aws:chime:us-east-1:123456789012:app-instance/aaaa-1"
let userArn = "\(appInstance)/user/crm-alice"
let crm = TenantFacts(id: "crm", labels: ["owner": "crm@example.com", "costCenter": "4711"])

/// The documents that the loader makes of the policy files.
func documents(_ files: [String: String]) throws -> [PolicyDocument] { try loaded(files).documents }

/// With the exceptions.
func loaded(_ files: [String: String]) throws -> PolicyFiles {
  let loader = ConfigurationLoader(
    files: PolicyFolder(files: files), environment: [:], knownOperations: Operation.allCases.map(\.name))
  let (loaded, problems) = loader.policies(inFolder: "policies")
  guard let loaded else { throw BadFixture(problems: problems.map(\.line)) }
  return loaded
}

/// Policies given as texts, compiled; the files are named after their place in the list.
func compile(_ texts: [String], tenants: [TenantFacts] = [crm]) throws -> (PolicySet, [Problem]) {
  let files = Dictionary(
    uniqueKeysWithValues: texts.enumerated().map { index, text in ("p\(index).json", text) })
  return PolicySet.compile(documents: try documents(files), tenants: tenants)
}

/// One `enforce` policy named `p` for all requests, with these rules.
func policy(
  _ rules: String, name: String = "p", mode: String = "enforce", match: String = "{}"
) -> String {
  #"{"policy":"\#(name)","mode":"\#(mode)","match":\#(match),"rules":{\#(rules)}}"#
}

/// What CreateAppInstanceUser is sent, but for what is said otherwise; further members as JSON.
func createBody(
  id: String = "crm-alice", name: String = "Alice", tags: [(String, String)] = [], days: Int? = nil,
  metadata: String? = nil, appInstanceArn: String = appInstance
) -> String {
  var writer = JSONWriter()
  writer.beginObject()
  writer.key("AppInstanceArn")
  writer.string(appInstanceArn)
  writer.key("AppInstanceUserId")
  writer.string(id)
  writer.key("Name")
  writer.string(name)
  writer.key("ClientRequestToken")
  writer.string("token-1")
  if let metadata {
    writer.key("Metadata")
    writer.string(metadata)
  }
  if !tags.isEmpty {
    writer.key("Tags")
    writer.write(tags: tags)
  }
  if let days {
    writer.key("ExpirationSettings")
    writer.raw(Array(#"{"ExpirationDays":\#(days),"ExpirationCriterion":"CREATED_TIMESTAMP"}"#.utf8))
  }
  writer.endObject()
  return String(decoding: writer.bytes, as: UTF8.self)
}

func tagBody(_ tags: [(String, String)], arn: String = userArn) -> String {
  var writer = JSONWriter()
  writer.beginObject()
  writer.key("ResourceARN")
  writer.string(arn)
  writer.key("Tags")
  writer.write(tags: tags)
  writer.endObject()
  return String(decoding: writer.bytes, as: UTF8.self)
}

extension JSONWriter {
  fileprivate mutating func write(tags: [(String, String)]) {
    beginArray()
    for (tagKey, value) in tags {
      beginObject()
      key("Key")
      string(tagKey)
      key("Value")
      string(value)
      endObject()
    }
    endArray()
  }
}

/// A request as the gateway reads it from method, path and body.
///
/// - Parameters:
///   - appInstance: where the user is that the path names.
///   - user: its id.
func request(
  _ body: String, as operation: Operation = .createAppInstanceUser, appInstance: String = appInstance,
  user: String = "crm-alice"
) throws -> GovernedRequest {
  var path: [UInt8] = []
  let template = operation.model.pathTemplate.string
  for segment in template.split(separator: "/") {
    path += "/".utf8
    if segment.hasPrefix("{") {
      PercentCoding.encode("\(appInstance)/user/\(user)".utf8, into: &path)
    } else {
      path += segment.utf8
    }
  }
  let query = operation.model.discriminator.map { Array("\($0.name)=\($0.value)".utf8)[...] }
  let call = try Operation.identify(
    method: operation.model.method.name.utf8[...], path: path[...], query: query)
  let document = body.isEmpty ? nil : try JSONDocument(parsing: Array(body.utf8))
  try ModelValidator.validate(call, document: document)
  return GovernedRequest(call: call, document: document)
}

/// The facts of a request, copied, so that tests can compare them.
struct PlainFacts {
  struct Tag: Hashable {
    let key: Text
    let value: Text
  }

  let operation: ChimeIdentity.Operation
  let governance: Governance?
  let appInstanceArn: Text
  let appInstanceId: Text
  let appInstanceUserId: Text?
  let appInstanceUserArn: Text?
  let resourceArn: Text?
  let name: Text?
  let metadata: Text?
  let clientRequestToken: Text?
  let lacksClientRequestToken: Bool
  let tags: [Tag]
  let tagKeys: [Text]
  let expirationDays: Int?
  let expirationCriterion: Text?
  let changes: [Change]
  private let written: [UInt8]

  init(_ request: borrowing GovernedRequest) {
    operation = request.operation
    governance = request.governance
    appInstanceArn = request.appInstanceArn.uncheckedText
    appInstanceId = request.appInstanceId.uncheckedText
    appInstanceUserId = request.appInstanceUserId?.uncheckedText
    appInstanceUserArn = request.appInstanceUserArn?.uncheckedText
    resourceArn = request.resourceArn?.uncheckedText
    name = request.name?.uncheckedText
    metadata = request.metadata?.uncheckedText
    clientRequestToken = request.clientRequestToken?.uncheckedText
    lacksClientRequestToken = request.lacksClientRequestToken
    tags = (0..<request.tagCount).map {
      Tag(key: request.tagKey($0).uncheckedText, value: request.tagValue($0).uncheckedText)
    }
    tagKeys = (0..<request.tagKeyCount).map { request.tagKeyToRemove($0).uncheckedText }
    expirationDays = request.expirationDays
    expirationCriterion = request.expirationCriterion?.uncheckedText
    changes = request.changes
    var bytes = ByteBuffer()
    request.writeBody(to: &bytes)
    written = bytes.array
  }

  /// The body written anew.
  func body() -> [UInt8] { written }
}

/// The verdict on a request, with what became of it.
struct Outcome {
  let decision: Decision
  let request: PlainFacts

  var violations: [String] { decision.violations.map { "\($0.rule) \($0.field)" } }
  var warnings: [String] { decision.warnings.map { "\($0.policy) \($0.rule) \($0.field)" } }
  var wouldChange: [String] { decision.wouldChange.map { "\($0.policy) \($0.rule) \($0.field)" } }
  var changes: [String] {
    request.changes.map { change in
      "\(change.field): \(change.from.map { "\($0) -> " } ?? "")\(change.to)"
    }
  }
  var tags: [String: String] {
    Dictionary(
      request.tags.map { ($0.key.string, $0.value.string) }, uniquingKeysWith: { "\($0) and \($1)" })
  }
}

extension PolicySet {
  func outcome(
    of request: borrowing GovernedRequest, tenant: TenantFacts = crm, at now: WallClockTime = .never
  ) -> Outcome {
    var request = request.copy()
    let decision = policies(for: tenant).decide(&request, at: now)
    return Outcome(decision: decision, request: PlainFacts(request))
  }

  func explain(_ request: borrowing GovernedRequest, tenant: TenantFacts = crm, token: Text? = nil)
    -> Explanation
  {
    policies(for: tenant).explain(request, fillingIn: token)
  }
}

/// What policies with these texts make of a request.
func decide(
  _ policies: [String], _ body: String, as operation: Operation = .createAppInstanceUser,
  tenant: TenantFacts = crm
) throws -> Outcome {
  let (set, problems) = try compile(policies, tenants: [tenant])
  let errors = problems.filter { $0.severity == .error }
  guard errors.isEmpty else { throw BadFixture(problems: errors.map(\.line)) }
  return set.outcome(of: try request(body, as: operation), tenant: tenant)
}
