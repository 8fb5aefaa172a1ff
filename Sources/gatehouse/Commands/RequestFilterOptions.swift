import ArgumentParser
import AuditBrowsing
import AuditTrail
import Configuration
import OpenSSLCrypto
import Primitives

/// Which requests of the journal a command is about.
struct RequestFilterOptions: ParsableArguments {
  @Option(help: "The AppInstanceUserId.")
  var userId: String?
  @Option(help: "The user's ARN.")
  var userArn: String?
  @Option(help: "The tenant whose key signed the request.")
  var tenant: String?
  @Option(help: "The person or job on whose behalf the application called (X-Gatehouse-Actor).")
  var actor: String?
  @Option(help: "The access key that signed the request.")
  var accessKey: String?
  @Option(help: "The operation, such as CreateAppInstanceUser.")
  var operation: String?
  @Option(help: "What was decided.")
  var decision: AuditDecision?
  @Option(help: "What became of it.")
  var outcome: AuditOutcome?
  @Option(help: "A rule that was broken or warned about, such as tags.required.")
  var rule: String?
  @Option(help: "The user's name, also where the journal holds hashes of names.")
  var name: String?
  @Option(help: "A tag as it was evaluated, KEY=VALUE; given several times, all must be there.")
  var tag: [TagArgument] = []
  @Option(help: "A key that no tag has, of calls that give tags; given several times, all must be absent.")
  var withoutTag: [String] = []

  struct TagArgument: ExpressibleByArgument {
    let key: Text
    let value: Text

    init?(argument: String) {
      guard let tag = FilterWords.tag(argument) else { return nil }
      (key, value) = tag
    }
  }

  func validate() throws {
    if let fault = operation.flatMap({ FilterWords.fault(operation: $0) }) { throw ValidationError(fault) }
    if let fault = rule.flatMap({ FilterWords.fault(rule: $0) }) { throw ValidationError(fault) }
    if let tag = tag.first(where: { FilterWords.isMeantAsUnequal($0.key) }) {
      throw ValidationError(
        "--tag takes KEY=VALUE, and no request has the tag `\(tag.key.string.onOneLine)`; --without-tag KEY finds those"
          + " that lack one")
    }
  }

  /// What is not recorded must not look as if nobody had used it.
  func checkRecorded(under sensitive: GatewayConfiguration.Sensitive) throws(CommandFailure) {
    try checkRecorded(name != nil, sensitive.name, "--name", "name")
    try checkRecorded(!tag.isEmpty, sensitive.tagValues, "--tag", "tagValues")
  }

  private func checkRecorded(
    _ isAsked: Bool, _ treatment: GatewayConfiguration.Sensitive.Treatment, _ option: String, _ key: String
  ) throws(CommandFailure) {
    guard isAsked, let fault = FilterWords.fault(searching: option, under: treatment, of: key) else { return }
    throw CommandFailure(.bad, fault)
  }

  /// - Parameter key: that of hashes, where the journal has any.
  func filter(hashKey key: Secret?) -> QueryFilter {
    var filter = QueryFilter()
    filter.userId = userId.map { Text($0) }
    filter.userArn = userArn.map { Text($0) }
    filter.tenant = tenant.map { Text($0) }
    filter.actor = actor.map { Text($0) }
    filter.accessKeyId = accessKey.map { Text($0) }
    filter.operation = operation.map { Text($0) }
    filter.decision = decision
    filter.outcome = outcome
    filter.rule = rule.map { Text($0) }
    filter.name = name.map { Text($0) }
    filter.tags = tag.map { (key: $0.key, value: $0.value) }
    filter.withoutTags = withoutTag.map { Text($0) }
    filter.hashKey = key
    return filter
  }
}

extension AuditDecision: ExpressibleByArgument {}
extension AuditOutcome: ExpressibleByArgument {}
