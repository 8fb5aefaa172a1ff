internal import Configuration
internal import Patterns
internal import PolicyEngine
internal import Primitives
internal import StrictJSON

/// `/api/policies`
extension GatewayServer {
  func writePolicies(of snapshot: Snapshot, to writer: inout JSONWriter) {
    let now = clock.wallClock()
    let counts = counts(of: snapshot)
    var violations: [Text: Int] = [:]
    for (key, count) in counts.violations { violations[key.policy, default: 0] += count }
    writer.member("revision", snapshot.policyRevision)
    let documents = snapshot.policyFiles.documents.sorted { $0.name.value < $1.name.value }
    writer.objects("policies", documents) { writer, document in
      writer.write(document)
      writer.member("violations", violations[document.name.value] ?? 0)
    }
    writer.objects("exceptions", snapshot.policyFiles.exceptions) { writer, exception in
      writer.write(exception, at: now)
      writer.member("used", counts.exceptions[exception.name.value] ?? 0)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ document: PolicyDocument) {
    member("policy", document.name.value)
    member("description", document.description)
    member("file", document.file)
    member("mode", document.mode.rawValue)
    member("owner", document.owner)
    member("severity", document.severity?.rawValue)
    member("help", document.help)
    write("match", document.match)
    member("when", document.when?.outline)
    objects("rules", document.outline) { writer, rule in
      writer.member("rule", rule.subject)
      writer.member("says", rule.says)
      writer.member("mode", rule.mode.rawValue)
    }
  }

  fileprivate mutating func write(_ exception: ExceptionDocument, at now: WallClockTime) {
    let end = exception.until.value.end
    member("exception", exception.name.value)
    member("reason", exception.reason)
    member("owner", exception.owner)
    member("file", exception.file)
    member("until", exception.until.value.written)
    member("ended", end <= now)
    member("daysLeft", max(0, Int(end.nanoseconds(since: now) / (86_400 * 1_000_000_000))))
    member("policies", exception.policies.map(\.value))
    member("rules", exception.rules.map { $0.map(\.value) } ?? ["*"])
    write("match", exception.match)
    member("when", exception.when?.outline)
  }

  /// Lists that were left out take in everything, and are left out here.
  private mutating func write(_ name: StaticString, _ match: PolicyDocument.Match) {
    object(name) { writer in
      writer.write(match.lists)
      if let exclude = match.exclude { writer.object("exclude") { $0.write(exclude) } }
    }
  }

  private mutating func write(_ lists: PolicyDocument.MatchLists) {
    if let tenants = lists.tenants { member("tenants", tenants.map(\.source)) }
    if !lists.tenantLabels.isEmpty {
      object("tenantLabels") { writer in
        for label in lists.tenantLabels {
          writer.key(text: label.name)
          writer.beginArray()
          for value in label.values { writer.string(value.source) }
          writer.endArray()
        }
      }
    }
    if let appInstances = lists.appInstances { member("appInstances", appInstances.map(\.source)) }
    if let operations = lists.operations { member("operations", operations.map(\.source)) }
  }
}
