internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

/// Something that a request can be found by, as 48 bits of a SHA-256. Requests that are found are compared with what was
/// asked for, so that two things with the same bits cost time and nothing else; and the index holds no names or tags.
struct IndexTerm: Hashable, Comparable {
  let bits: Int64

  private enum Subject: UInt8 {
    case facet, accessKey, actor, user, name, tag
  }

  private init(_ subject: Subject, _ parts: Text...) {
    var bytes = [subject.rawValue]
    for part in parts {
      // The length in front, so that `ab` + `c` is not `a` + `bc`.
      bytes.append(decimal: part.utf8.count)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(contentsOf: part.utf8)
    }
    bits = Int64(SHA256.digest(bytes).words.0 & 0xFFFF_FFFF_FFFF)
  }

  static func facet(_ facet: Facet) -> Self {
    // What is absent is not what is empty.
    let mark = { (part: Text?) in part.map { "=" + $0 } ?? "" }
    return Self(.facet, mark(facet.tenant), mark(facet.operation), mark(facet.decision))
  }

  static func accessKey(_ id: Text) -> Self { Self(.accessKey, id) }
  static func actor(_ actor: Text) -> Self { Self(.actor, actor) }
  static func user(id: Text) -> Self { Self(.user, id) }
  /// A user is looked for by its id, whichever of the two is asked for.
  static func user(arn: Text) -> Self { Self(.user, arn.userId ?? arn) }
  static func name(_ name: Text) -> Self { Self(.name, name) }
  static func tag(_ key: Text, _ value: Text) -> Self { Self(.tag, key, value) }

  static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// What few values are there of: which of them stand together is a small table, and they are looked for as one.
struct Facet: Hashable {
  var tenant: Text?
  var operation: Text?
  var decision: Text?

  init(_ request: RequestHistory) {
    tenant = request.text("tenant")
    operation = request.text("operation")
    decision = request.text("decision")
  }

  init(tenant: Text?, operation: Text?, decision: Text?) {
    self.tenant = tenant
    self.operation = operation
    self.decision = decision
  }
}

extension RequestHistory {
  /// Everything it can be found by, but its facet.
  var terms: Set<IndexTerm> {
    var terms: Set<IndexTerm> = []
    if let key = text("accessKeyId") { terms.insert(.accessKey(key)) }
    if let actor = text("actor") { terms.insert(.actor(actor)) }
    if let id = text("appInstanceUserId") { terms.insert(.user(id: id)) }
    if let arn = text("appInstanceUserArn") { terms.insert(.user(arn: arn)) }
    if let name = text("name") { terms.insert(.name(name)) }
    for tag in first.tags { terms.insert(.tag(tag.key, tag.value)) }
    for change in first.changes {
      if let key = change.field.tagKey { terms.insert(.tag(key, change.to)) }
    }
    return terms
  }
}

extension QueryFilter {
  /// Of each of these groups a request must have one.
  /// - Parameter facets: those that the journal has.
  func groups(among facets: [Facet]) -> [[IndexTerm]] {
    var groups: [[IndexTerm]] = []
    if let userId { groups.append([.user(id: userId)]) }
    if let userArn { groups.append([.user(arn: userArn)]) }
    if let name { groups.append(recorded(name).map { .name($0) }) }
    for tag in tags { groups.append(recorded(tag.value).map { .tag(tag.key, $0) }) }
    if let actor { groups.append([.actor(actor)]) }
    if let accessKeyId { groups.append([.accessKey(accessKeyId)]) }
    let wanted = Facet(tenant: tenant, operation: operation, decision: decision.map { Text($0.rawValue) })
    if wanted != Facet(tenant: nil, operation: nil, decision: nil) {
      groups.append(facets.filter { wanted.covers($0) }.map { .facet($0) })
    }
    return groups
  }
}

extension Facet {
  /// Whether each of its values that is there is also `other`'s.
  fileprivate func covers(_ other: Facet) -> Bool {
    (tenant == nil || tenant == other.tenant) && (operation == nil || operation == other.operation)
      && (decision == nil || decision == other.decision)
  }
}

extension Text {
  /// `Owner` of `Tags.Owner`, as changes name it.
  fileprivate var tagKey: Text? {
    hasPrefix("Tags.") ? Text(uncheckedUTF8: Array(utf8.dropFirst("Tags.".utf8.count))) : nil
  }
}
