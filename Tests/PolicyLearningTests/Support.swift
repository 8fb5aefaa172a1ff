import ChimeIdentity
import Configuration
import OpenSSLCrypto
import PolicyEngine
import Primitives
import StrictJSON
import Testing

@testable import PolicyLearning

let app: Text = "arn:aws:chime:us-east-1:123456789012:app-instance/one"

func creation(
  _ id: String, tenant: String = "crm", name: String? = "Alice Example", tags: [(String, String?)] = [],
  days: Int? = nil
) -> ObservedRequest {
  var request = ObservedRequest(.createAppInstanceUser, tenant: Text(tenant))
  request.appInstance = app
  request.userId = Text(id)
  request.name = name.map { Text($0) }
  request.tags = tags.map { .init(Text($0.0), $0.1.map { Text($0) }) }
  request.expirationDays = days
  request.metadataBytes = 0
  return request
}

func learn(_ requests: [ObservedRequest]) -> LearntPolicies {
  var learner = PolicyLearner()
  for request in requests { learner.take(request, at: WallClockTime(seconds: 1_795_348_800)) }
  return LearntPolicies(learner, keptBy: 0.9)
}

/// The learnt files in memory.
private struct LearntFiles: FileSource {
  let contents: [String: [UInt8]]

  func read(_ path: String) throws(FileFault) -> FileContents {
    guard let bytes = contents[path] else { throw .missing }
    return FileContents(bytes: bytes, access: FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }
  func names(in directory: String) throws(FileFault) -> [String] {
    contents.keys.map { String($0.dropFirst(directory.count + 1)) }.sorted()
  }
}

/// What was learnt, as a gateway has it in force.
struct InForce {
  let set: PolicySet
  /// What `check` says, warnings included.
  let problems: [String]
  let tests: [PolicyTestFile.Case]

  init(_ learnt: LearntPolicies, tenants: [TenantFacts] = []) throws {
    let contents = Dictionary(
      uniqueKeysWithValues: learnt.files(for: nil).map { ("p/\($0.name)", $0.content) })
    let loader = ConfigurationLoader(
      files: LearntFiles(contents: contents), environment: [:],
      knownOperations: Operation.allCases.map(\.name))
    let (files, problems) = loader.policies(inFolder: "p")
    let documents = try #require(files, "\(problems.map(\.line))").documents
    let (set, doubts) = PolicySet.compile(documents: documents, tenants: tenants)
    self.set = set
    guard contents["p/learnt.test.json"] != nil else {
      (tests, self.problems) = ([], (problems + doubts + set.advice).map(\.line))
      return
    }
    let (tests, faults) = loader.policyTests(at: "p/learnt.test.json", knownRules: [])
    self.tests = try #require(tests, "\(faults.map(\.line))").cases
    self.problems = (problems + doubts + set.advice + faults).map(\.line)
  }

  /// The rules of a policy that a request breaks.
  func broken(_ policy: String, by request: ObservedRequest) -> [String] {
    var facts = request.facts
    let decision = set.policies(for: TenantFacts(id: request.tenant)).decide(&facts)
    return (decision.violations + decision.warnings).filter { $0.policy.string == policy }
      .map { "\($0.rule) \($0.field)" }
  }
}

extension ObservedRequest {
  fileprivate var facts: GovernedRequest {
    var facts = GovernedRequest(operation: operation)
    if operation == .tagResource || operation == .untagResource {
      facts.take(.resourceArn, appInstance + "/user/" + (userId ?? "somebody"))
    } else {
      facts.take(.appInstanceArn, appInstance)
    }
    if let userId { facts.take(.appInstanceUserId, userId) }
    if let name { facts.take(.name, name) }
    if let metadataBytes { facts.take(.metadata, Text(String(repeating: "m", count: metadataBytes))) }
    for tag in tags { facts.takeTag(tag.key, tag.value ?? "hidden") }
    for key in removedKeys { facts.takeTagKey(key) }
    facts.take(expirationDays: expirationDays)
    return facts
  }
}
