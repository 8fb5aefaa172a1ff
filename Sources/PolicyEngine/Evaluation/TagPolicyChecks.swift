internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives

/// What the AWS tag policies say of one tag key, with everything that a check compares with made once.
struct CompiledTagPolicy: Sendable {
  let document: PolicyDocument
  let policy: PolicyDocument.TagPolicy
  let key: FoldedKey
  fileprivate let values: GlobList?
  private let field: String
  private let enforcing: BoundPolicy
  private let warning: BoundPolicy

  /// `nil`: an ordinary policy.
  init?(_ document: PolicyDocument) {
    guard let policy = document.tagPolicy else { return nil }
    self.document = document
    self.policy = policy
    key = FoldedKey(policy.key)
    values = policy.values.map(GlobList.init)
    field = PolicyField.tag(policy.key)
    enforcing = BoundPolicy(name: document.name.value, mode: .enforce)
    warning = BoundPolicy(name: document.name.value, mode: .warn)
  }

  private static let withoutTag = "the request without this tag"

  /// Whether the policy has values, and none.
  private var isForbidden: Bool { values?.isEmpty == true }

  func accepts(_ value: Text) -> Bool { values?.matches(value) ?? true }

  func mode(on resources: TaggableResources) -> PolicyDocument.Mode {
    policy.enforcedFor.isDisjoint(with: resources) ? .warn : .enforce
  }

  /// Tags that the policy does not name are none of its business, and a missing one is at most reported.
  func check(
    _ request: borrowing GovernedRequest, _ tagging: Tagging, _ recorder: inout some VerdictRecorder
  ) {
    let judge = mode(on: tagging.resources) == .enforce ? enforcing : warning
    var isPresent = false
    for index in 0..<request.tagCount where request.tags[index].fingerprint == key.fingerprint {
      let given = request.tagKey(index)
      let isExact = given.holds(key.text)
      guard isExact || key.differsOnlyInCase(from: given) else { continue }
      isPresent = true
      if !isExact {
        recorder.judge(
          .tagsKeyCase, of: judge, saying: nil, keeps: false, field: PolicyField.tag(ofCaller: given),
          wrong: "the key differs from `\(MessageText.shown(key.text))` only in case",
          accepted: isForbidden ? Self.withoutTag : "the key `\(MessageText.shown(key.text))`")
      }
      // Also of a key in the wrong case, lest who corrects it meets the next refusal.
      checkValue(
        request.tagValue(index), field: isExact ? field : PolicyField.tag(ofCaller: given), as: judge,
        &recorder)
    }
    guard tagging.isCreation, !policy.reportedFor.isDisjoint(with: tagging.resources) else { return }
    recorder.judge(
      .tagsRequired, of: warning, saying: nil, keeps: isPresent, field: field, wrong: "the tag is missing",
      accepted: "a tag `\(MessageText.shown(key.text))`")
  }

  private func checkValue(
    _ value: Span<UInt8>, field: String, as judge: BoundPolicy, _ recorder: inout some VerdictRecorder
  ) {
    guard let values else { return }
    recorder.judge(
      .tagsValue, of: judge, saying: nil, keeps: values.matches(value), field: field,
      wrong: isForbidden
        ? "the tag is forbidden: no value is accepted" : "the value is not one of those listed",
      accepted: isForbidden
        ? Self.withoutTag : "a value that matches one of \(MessageText.list(values.globs))")
  }
}

/// What a request puts tags on.
struct Tagging {
  let resources: TaggableResources
  /// Whether the request holds all tags that the resource will have.
  let isCreation: Bool
}

extension GovernedRequest {
  /// `nil`: it writes no tags.
  var tagging: Tagging? {
    switch operation {
    case .createAppInstanceUser: Tagging(resources: .user, isCreation: true)
    case .createAppInstance: Tagging(resources: .appInstance, isCreation: true)
    case .createAppInstanceBot: Tagging(resources: .bot, isCreation: true)
    case .tagResource: Tagging(resources: taggedResources, isCreation: false)
    default: nil
    }
  }

  /// An ARN of which it is not sure what it names is taken for anything's: no spelling leads round the rules.
  private var taggedResources: TaggableResources {
    guard let resourceArn, let arn = ChimeARNParts(resourceArn) else { return .all }
    return switch arn.resource {
    case .appInstance: .appInstance
    case .user: .user
    case .bot: .bot
    case .channel: .channel
    case .channelFlow: .channelFlow
    }
  }
}

extension CompiledPolicies {
  func tagPolicyReports(on request: borrowing GovernedRequest) -> [Explanation.PolicyReport] {
    guard let tagging = request.tagging else { return [] }
    return tagPolicies.map {
      Explanation.PolicyReport(
        name: $0.document.name.value, mode: $0.mode(on: tagging.resources), silence: nil, isTagPolicy: true)
    }
  }
}
