import AuditReconciliation
import ChimeIdentity
import Configuration
import OpenSSLCrypto
import PolicyEngine
import Primitives
import StrictJSON
import Testing

@testable import UserScan

let account = "arn:aws:chime:us-east-1:123456789012:app-instance/"

func user(
  _ id: String, app: String = "one", name: String? = "Alice Example", tags: [(String, String)] = [],
  days: Int? = nil
) throws -> ScannedUser {
  let arn = try #require(ChimeARN(Text("\(account)\(app)/user/\(id)")))
  var user = ScannedUser(arn)
  user.name = name.map { Text($0) }
  user.tags = tags.map { .init(Text($0.0), Text($0.1)) }
  user.expirationDays = days
  return user
}

private struct MemoryFiles: FileSource {
  let contents: [String: String]

  func read(_ path: String) throws(FileFault) -> FileContents {
    guard let text = contents[path] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }
  func names(in directory: String) throws(FileFault) -> [String] {
    contents.keys.map { String($0.dropFirst(directory.count + 1)) }.sorted()
  }
}

/// One policy named `p` with these rules.
func policy(_ rules: String, mode: String = "enforce", match: String = "{}", name: String = "p") -> String {
  #"{"policy":"\#(name)","mode":"\#(mode)","match":\#(match),"rules":{\#(rules)}}"#
}

func judge(
  _ policies: [String], _ tenants: [TenantFacts] = [], exceptions: [String] = [],
  now: WallClockTime = WallClockTime(seconds: 0)
) throws -> UserJudge {
  var contents = ["p/notes.txt": ""]
  for (index, text) in exceptions.enumerated() { contents["p/\(index).exception.json"] = text }
  for (index, text) in policies.enumerated() { contents["p/\(index).json"] = text }
  let loader = ConfigurationLoader(
    files: MemoryFiles(contents: contents), environment: [:], knownOperations: Operation.allCases.map(\.name))
  let (files, problems) = loader.policies(inFolder: "p")
  let loaded = try #require(files, "\(problems.map(\.line))")
  return UserJudge(documents: loaded.documents, exceptions: loaded.exceptions, tenants: tenants, now: now)
}

/// AppInstances and their users, in pages of two, with what a test wants to go wrong.
final class ScriptedDirectory: UserListing {
  var users: [(app: Text, users: [ScannedUser])] = []
  /// Users that upstream says nothing of, and how.
  var refused: Set<Text> = []
  var gone: Set<Text> = []
  var silent: Set<Text> = []
  var unlisted: Set<Text> = []
  private(set) var described: [Text] = []

  func listAppInstances(after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    try page(users.map { #"{"AppInstanceArn":"\#($0.app)"}"# }, "AppInstances", token)
  }

  func listUsers(of appInstance: Text, after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    guard !unlisted.contains(appInstance), let found = users.first(where: { $0.app == appInstance }) else {
      return .refused("403 ForbiddenException")
    }
    return try page(
      found.users.map { #"{"AppInstanceUserArn":"\#($0.arn.text)"}"# }, "AppInstanceUsers", token)
  }

  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    described.append(arn)
    if silent.contains(arn) { throw UpstreamUnavailable(reason: "no answer in time") }
    if refused.contains(arn) { return .refused("403 ForbiddenException") }
    guard let user = user(arn), !gone.contains(arn) else { return .notFound }
    let name = user.name.map { #","Name":"\#($0)""# } ?? ""
    let days = user.expirationDays.map { #","ExpirationSettings":{"ExpirationDays":\#($0)}"# } ?? ""
    return try answer(#"{"AppInstanceUser":{"AppInstanceUserArn":"\#(arn)"\#(name)\#(days)}}"#)
  }

  func listTags(of resource: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    let tags = user(resource)?.tags.map { #"{"Key":"\#($0.key)","Value":"\#($0.value)"}"# } ?? []
    return try answer(#"{"Tags":[\#(tags.joined(separator: ","))]}"#)
  }

  private func user(_ arn: Text) -> ScannedUser? {
    users.lazy.flatMap(\.users).first { $0.arn.text == arn }
  }

  private func page(
    _ entries: [String], _ member: String, _ token: Text?
  ) throws(UpstreamUnavailable) -> ReadAnswer {
    let start = token.flatMap { Int($0.string) } ?? 0
    let end = min(start + 2, entries.count)
    let next = end < entries.count ? #","NextToken":"\#(end)""# : ""
    return try answer(#"{"\#(member)":[\#(entries[start..<end].joined(separator: ","))]\#(next)}"#)
  }

  private func answer(_ text: String) throws(UpstreamUnavailable) -> ReadAnswer {
    guard let document = try? JSONDocument(parsing: Array(text.utf8)) else {
      throw UpstreamUnavailable(reason: "bad script")
    }
    return .found(document)
  }
}
