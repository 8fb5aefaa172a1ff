internal import AuditTrail
internal import ChimeIdentity
internal import PolicyEngine
internal import Primitives
internal import StrictJSON

/// Why the journal does not show a value.
package enum Concealment: String, Sendable, CaseIterable {
  /// `audit.sensitive` says `omit`.
  case omitted
  /// `audit.sensitive` says `hash`.
  case hashed
  /// It was longer than the journal keeps.
  case cut
}

/// What a record tells of a request that policy decided on, or could have.
struct RecordedRequest {
  /// A rule that was broken, by the policy of that time.
  struct Finding: Hashable {
    let policy: Text
    let rule: Text
    let isWarning: Bool
  }

  /// RFC 3339, as written.
  var time: Text = ""
  var requestId: Text = ""
  var tenant: Text?
  var accessKeyId: Text?
  /// The person or job on whose behalf the application called.
  var actor: Text?
  var operation: Text?
  var decision: AuditDecision?
  var findings: [Finding] = []
  /// Whether policy had its say.
  var isJudged = false
  var isRepeat = false
  var userId: Text?
  var userArn: Text?
  /// Tags were left out of the record, because a key came twice or there were too many (no valid request), or it shows a
  /// part of a fact only, as it would have been too long.
  var isIncomplete = false
  /// Why each hidden member is hidden.
  private(set) var concealed: [HiddenMember: Concealment] = [:]
  /// Whether it says nothing that no gateway can have written.
  private(set) var isPlausible = true

  /// In bytes; what the service model lets a request have has a sixteenth of it at most.
  private static let metadataSizes = 0...65_536

  private var appInstanceArn: Text?
  private var resourceArn: Text?
  private var name: Text?
  private var metadata: Text?
  private var metadataBytes: Int?
  private var tags: [(key: Text, value: Text)] = []
  private var tagKeys: [Text] = []
  private var expirationDays: Int?
  private var hidden = HiddenFacts()

  /// - Returns: `nil` when the document is no record of a request, or an outcome whose facts stand in its intent.
  init?(_ document: JSONDocument) {
    var kind: Text?
    for (key, value) in document.members(document.root) {
      guard let member = RecordMember(key, of: document) else { continue }
      if member == .record { kind = document.text(value) }
      if member == .intent { return nil }
      read(member, value, in: document)
    }
    guard let kind = kind.flatMap({ RecordKind(named: $0) }), kind.isOfRequest, !requestId.isEmpty,
      decision != nil
    else { return nil }
    if kind == .intent { isJudged = true }
    resolveMetadata()
  }

  private mutating func read(_ member: RecordMember, _ value: JSONNode, in document: JSONDocument) {
    switch member {
    case .record, .intent: break
    case .requestId: requestId = document.text(value) ?? ""
    case .time: time = document.text(value) ?? ""
    case .tenant: tenant = document.text(value)
    case .accessKeyId: accessKeyId = document.text(value)
    case .actor: actor = document.text(value)
    case .operation: operation = document.text(value)
    case .appInstanceArn: appInstanceArn = document.text(value)
    case .appInstanceUserId: userId = document.text(value)
    case .appInstanceUserArn: userArn = document.text(value)
    case .resourceArn: resourceArn = document.text(value)
    case .name: name = document.text(value)
    case .metadata: metadata = document.text(value)
    case .metadataBytes: metadataBytes = document.integer(value)
    case .tags: readTags(value, in: document)
    case .tagsNotRecorded: isIncomplete = true
    case .tagKeys: tagKeys = document.elements(value).compactMap { document.text($0) }
    case .expirationDays: expirationDays = document.integer(value)
    case .decision: decision = document.text(value).flatMap { AuditDecision(rawValue: $0.string) }
    case .violations: readFindings(value, isWarning: false, in: document)
    case .warnings: readFindings(value, isWarning: true, in: document)
    case .policyRevision: isJudged = true
    case .repeatOf: isRepeat = true
    case .truncated: readTruncated(value, in: document)
    }
  }

  private mutating func readTruncated(_ list: JSONNode, in document: JSONDocument) {
    // The size of metadata is known, and the others that may be cut are no facts.
    let facts: Set<Text> = [
      "appInstanceArn", "appInstanceUserId", "appInstanceUserArn", "resourceArn", "name", "tags", "tagKeys",
    ]
    for member in document.elements(list) where document.text(member).map(facts.contains) ?? false {
      isIncomplete = true
    }
  }

  private mutating func readTags(_ object: JSONNode, in document: JSONDocument) {
    // With room for those that policy adds.
    tags.reserveCapacity(8)
    for (key, value) in document.members(object) {
      guard let key = document.text(key) else { continue }
      let text = document.text(value)
      if let text, !text.isMark {
        tags.append((key, text))
      } else {
        tags.append((key, HiddenFacts.placeholder))
        hidden.tags.append(key)
        concealed[.tagValues] = text == nil ? .omitted : .hashed
      }
    }
  }

  private mutating func readFindings(_ list: JSONNode, isWarning: Bool, in document: JSONDocument) {
    for finding in document.elements(list) {
      guard let policy = document.member("policy", of: finding).flatMap({ document.text($0) }),
        let rule = document.member("rule", of: finding).flatMap({ document.text($0) })
      else { continue }
      findings.append(Finding(policy: policy, rule: rule, isWarning: isWarning))
    }
  }

  /// The size stands beside every metadata, shown or not.
  private mutating func resolveMetadata() {
    guard let metadataBytes else { return }
    guard Self.metadataSizes.contains(metadataBytes) else {
      isPlausible = false
      return
    }
    guard metadataBytes > 0 else {
      metadata = ""
      return
    }
    let shown = metadata
    if let shown, shown.utf8.count == metadataBytes, !shown.isMark { return }
    metadata = HiddenFacts.metadata(ofSize: metadataBytes)
    hidden.metadata = true
    concealed[.metadata] = shown.map { $0.isMark ? .hashed : .cut } ?? .omitted
  }
}

extension RecordedRequest {
  /// What policy looks at, with placeholders for what is hidden; `nil` for operations of which it knows nothing.
  mutating func facts(noting hiddenFacts: inout HiddenFacts) -> GovernedRequest? {
    guard let operation = operation.flatMap({ Operation(name: $0) }) else { return nil }
    var request = GovernedRequest(operation: operation)
    if let appInstanceArn { request.take(.appInstanceArn, appInstanceArn) }
    if let userId { request.take(.appInstanceUserId, userId) }
    if let resourceArn { request.take(.resourceArn, resourceArn) }
    if let metadata { request.take(.metadata, metadata) }
    for tag in tags { request.takeTag(tag.key, tag.value) }
    for key in tagKeys { request.takeTagKey(key) }
    request.take(expirationDays: expirationDays)
    if let name, !name.isMark {
      request.take(.name, name)
    } else if name != nil || operation.requiresName {
      // A valid request has one, so that a record without it hides it.
      request.take(.name, HiddenFacts.placeholder)
      hidden.name = true
      concealed[.name] = name == nil ? .omitted : .hashed
    }
    hiddenFacts = hidden
    return request
  }
}

extension Operation {
  fileprivate var requiresName: Bool {
    switch self {
    case .createAppInstanceUser, .updateAppInstanceUser, .createAppInstance, .updateAppInstance: true
    default: false
    }
  }
}

extension Text {
  /// Whether it looks like the hash that stands for a hidden value. A value that a caller chose to look so is taken for
  /// hidden too.
  fileprivate var isMark: Bool {
    let prefix = "hmac-sha256:".utf8
    return utf8.count == prefix.count + 64 && utf8.starts(with: prefix)
  }
}
