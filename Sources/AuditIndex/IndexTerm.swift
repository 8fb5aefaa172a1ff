internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

/// Something that a request can be found by, as 48 bits of a SHA-256. Requests that are found are compared with what was
/// asked for, so that two things with the same bits cost time and nothing else; and the index holds no names or tags.
struct IndexTerm: Hashable, Comparable {
  let bits: Int64

  private enum Subject: UInt8 {
    case tenant, operation, decision, accessKey, actor, user, name, tag
  }

  private init(_ subject: Subject, _ value: Text, of key: Text? = nil) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(value.utf8.count + (key?.utf8.count ?? 0) + 8)
    bytes.append(subject.rawValue)
    if let key {
      // The length in front, so that `ab` + `c` is not `a` + `bc`.
      bytes.append(decimal: key.utf8.count)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(contentsOf: key.utf8)
    }
    bytes.append(contentsOf: value.utf8)
    bits = Int64(SHA256.digest(bytes).words.0 & 0xFFFF_FFFF_FFFF)
  }

  static func tenant(_ id: Text) -> Self { Self(.tenant, id) }
  static func operation(_ name: Text) -> Self { Self(.operation, name) }
  static func decision(_ decision: Text) -> Self { Self(.decision, decision) }
  static func accessKey(_ id: Text) -> Self { Self(.accessKey, id) }
  static func actor(_ actor: Text) -> Self { Self(.actor, actor) }
  static func user(id: Text) -> Self { Self(.user, id) }
  /// A user is looked for by its id, whichever of the two is asked for.
  static func user(arn: Text) -> Self { Self(.user, arn.userId ?? arn) }
  static func name(_ name: Text) -> Self { Self(.name, name) }
  static func tag(_ key: Text, _ value: Text) -> Self { Self(.tag, value, of: key) }

  static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

extension JournalRecord {
  /// Everything that its request can be found by, as far as this record tells it.
  var terms: [IndexTerm] {
    var terms: [IndexTerm] = []
    if let tenant = text("tenant") { terms.append(.tenant(tenant)) }
    if let operation = text("operation") { terms.append(.operation(operation)) }
    if let decision = text("decision") { terms.append(.decision(decision)) }
    if let key = text("accessKeyId") { terms.append(.accessKey(key)) }
    if let actor = text("actor") { terms.append(.actor(actor)) }
    if let id = text("appInstanceUserId") { terms.append(.user(id: id)) }
    if let arn = text("appInstanceUserArn") { terms.append(.user(arn: arn)) }
    if let name = text("name") { terms.append(.name(name)) }
    for tag in tags { terms.append(.tag(tag.key, tag.value)) }
    for change in changes {
      if let key = change.field.tagKey { terms.append(.tag(key, change.to)) }
    }
    return terms
  }
}

extension QueryFilter {
  /// Of each of these groups a request must have one.
  var groups: [[IndexTerm]] {
    var groups: [[IndexTerm]] = []
    if let userId { groups.append([.user(id: userId)]) }
    if let userArn { groups.append([.user(arn: userArn)]) }
    if let name { groups.append(recorded(name).map { .name($0) }) }
    for tag in tags { groups.append(recorded(tag.value).map { .tag(tag.key, $0) }) }
    if let actor { groups.append([.actor(actor)]) }
    if let accessKeyId { groups.append([.accessKey(accessKeyId)]) }
    if let tenant { groups.append([.tenant(tenant)]) }
    if let decision { groups.append([.decision(Text(decision.rawValue))]) }
    if let operation { groups.append([.operation(operation)]) }
    return groups
  }
}

extension Text {
  /// `Owner` of `Tags.Owner`, as changes name it.
  fileprivate var tagKey: Text? {
    hasPrefix("Tags.") ? Text(uncheckedUTF8: Array(utf8.dropFirst("Tags.".utf8.count))) : nil
  }
}
