import ChimeIdentity
import Configuration
import OpenSSLCrypto
import PolicyEngine
import Primitives
import StrictJSON
import Testing

@testable import PolicyTrials

/// Files in memory; a path is a folder when another lies in it.
struct MemoryFiles: FileSource {
  var contents: [String: String]

  func read(_ path: String) throws(FileFault) -> FileContents {
    guard let text = contents[path] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }

  func names(in directory: String) throws(FileFault) -> [String] {
    if contents[directory] != nil { throw .notADirectory }
    let inside = contents.keys.filter { $0.hasPrefix(directory + "/") }
    guard !inside.isEmpty else { throw .missing }
    return Set(
      inside.compactMap { $0.dropFirst(directory.count + 1).split(separator: "/").first.map(String.init) }
    )
    .sorted()
  }
}

func loader(_ contents: [String: String]) -> ConfigurationLoader {
  ConfigurationLoader(
    files: MemoryFiles(contents: contents), environment: [:], knownOperations: Operation.allCases.map(\.name))
}

let appInstance = "arn:aws:chime:us-east-1:123456789012:app-instance/aaaa-1"

/// A case for CreateAppInstanceUser with what is needed, or with `more` of its members.
func create(_ expect: String, name: String = "n", user: String = "Alice", more: String = "") -> String {
  #"""
  {"name":"\#(name)","tenant":{"id":"crm","labels":{"owner":"o@example.com"}},"operation":"CreateAppInstanceUser",
   "request":{"AppInstanceArn":"\#(appInstance)","AppInstanceUserId":"crm-1","Name":"\#(user)"\#(more)},
   "expect":\#(expect)}
  """#
}

/// One policy named `p` with these rules.
func policy(
  _ rules: String, mode: String = "enforce", name: String = "p", on operations: String = "*"
) -> String {
  #"{"policy":"\#(name)","mode":"\#(mode)","match":{"operations":["\#(operations)"]},"rules":{\#(rules)}}"#
}

struct Unusable: Error {
  let problems: [String]
}

func policySet(_ policies: [String]) throws -> PolicySet {
  // Without any policy there is a folder all the same.
  var files = ["p/notes.txt": ""]
  for (index, text) in policies.enumerated() { files["p/\(index).json"] = text }
  let (loaded, problems) = loader(files).policies(inFolder: "p")
  guard let loaded else { throw Unusable(problems: problems.map(\.line)) }
  return PolicySet.compile(documents: loaded.documents, tenants: []).0
}

func run(_ policies: [String], _ cases: [String]) throws -> TrialRun {
  let text = #"{"cases":[\#(cases.joined(separator: ","))]}"#
  let (tests, problems) = loader(["t.test.json": text])
    .policyTests(at: "t.test.json", knownRules: GatewayRule.allRuleIDs)
  guard let tests else { throw Unusable(problems: problems.map(\.line)) }
  let set = try policySet(policies)
  return TrialRun(tests.cases.map { set.run($0, of: tests.file) }, unreadable: [], policies: set)
}

func failures(_ policies: [String], _ one: String) throws -> [String] {
  try run(policies, [one]).results[0].failures
}

func problems(of text: String) -> [String] {
  loader(["t.test.json": text]).policyTests(at: "t.test.json", knownRules: GatewayRule.allRuleIDs).1.map(
    \.line)
}
