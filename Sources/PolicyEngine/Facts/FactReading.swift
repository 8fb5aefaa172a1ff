package import ChimeIdentity
package import Primitives
package import StrictJSON

// Reading the facts of a request.
extension GovernedRequest {
  /// The facts of a request that model validation has passed.
  package init(call: IdentifiedCall, document: JSONDocument?) {
    self.init(operation: call.operation)
    read(call, document)
  }

  /// Takes the facts of a call into a request that has none yet.
  package mutating func read(_ call: IdentifiedCall, _ document: JSONDocument?) {
    operation = call.operation
    if let document { read(document) }
    for member in call.pathMembers { locate(by: put(member.value.utf8.span)) }
    for member in call.queryMembers { locate(by: put(member.value.utf8.span)) }
    if appInstanceUserArnSlice.isAbsent, operation != .createAppInstanceUser { composeUserArn() }
  }

  /// From what no model allows together; records of refused requests tell it all the same.
  private mutating func composeUserArn() {
    guard !appInstanceArn.isEmpty, !appInstanceUserIdSlice.isAbsent else { return }
    var arn = appInstanceArn.array
    arn += "/user/".utf8
    arn += self[appInstanceUserIdSlice].array
    appInstanceUserArnSlice = put(arn.span)
  }

  /// Takes the facts that stand in the body.
  package mutating func read(_ document: JSONDocument) {
    self.document = document
    source = document.bytes
    var walk = document.memberWalk(document.root)
    while let (key, value) = document.next(&walk) { read(key, value, in: document) }
    receivedTags = tags.count
    receivedExpirationDays = expirationDays
  }

  /// A member of a request whose facts do not come from a body: a record of the journal.
  package enum ToldMember { case appInstanceArn, appInstanceUserId, resourceArn, name, metadata }

  package mutating func take(_ member: ToldMember, _ value: Text) {
    let slice = put(value.utf8.span)
    switch member {
    case .appInstanceArn: takeAppInstance(slice)
    case .appInstanceUserId: appInstanceUserIdSlice = slice
    case .resourceArn: resourceArnSlice = slice
    case .name: nameSlice = slice
    case .metadata: metadataSlice = slice
    }
  }

  package mutating func takeTag(_ key: Text, _ value: Text) {
    let key = put(key.utf8.span)
    takeTag(key, put(value.utf8.span))
    receivedTags = tags.count
  }

  package mutating func takeTagKey(_ key: Text) { keysToRemove.append(put(key.utf8.span)) }

  package mutating func take(expirationDays days: Int?) {
    expirationDays = days
    receivedExpirationDays = days
  }
}

extension GovernedRequest {
  /// Takes over one member of the body. The members that policy knows have the same meaning in every operation.
  private mutating func read(_ key: JSONNode, _ value: JSONNode, in document: JSONDocument) {
    // Their lengths tell nearly all of them apart; a key with escapes has to be unescaped for that.
    switch document.plainString(key)?.count ?? document.utf8(key)?.count {
    case 4: readFourLetters(key, value, in: document)
    case 7:
      if document.isKey(key, "TagKeys") { readTagKeys(value, in: document) }
    case 8:
      if document.isKey(key, "Metadata") { metadataSlice = slice(of: value, in: document) }
    case 11:
      guard document.isKey(key, "ResourceARN") else { return }
      resourceArnSlice = slice(of: value, in: document)
      locate(by: resourceArnSlice)
    case 14:
      guard document.isKey(key, "AppInstanceArn") else { return }
      let arn = slice(of: value, in: document)
      if !arn.isAbsent { takeAppInstance(arn) }
    case 17:
      if document.isKey(key, "AppInstanceUserId") { appInstanceUserIdSlice = slice(of: value, in: document) }
    case 18:
      if document.isKey(key, "ClientRequestToken") {
        clientRequestTokenSlice = slice(of: value, in: document)
      } else if document.isKey(key, "ExpirationSettings") {
        readExpiration(value, in: document)
      }
    default: break
    }
  }

  private mutating func readFourLetters(_ key: JSONNode, _ value: JSONNode, in document: JSONDocument) {
    if document.isKey(key, "Name") {
      nameSlice = slice(of: value, in: document)
    } else if document.isKey(key, "Tags") {
      readTags(value, in: document)
    }
  }

  private mutating func readTagKeys(_ list: JSONNode, in document: JSONDocument) {
    var walk = document.elementWalk(list)
    while let element = document.next(&walk) {
      let key = slice(of: element, in: document)
      if !key.isAbsent { keysToRemove.append(key) }
    }
  }

  private mutating func takeAppInstance(_ arn: FactSlice) {
    appInstanceArnSlice = arn
    appInstanceIdSlice = ChimeARNParts(self[arn]).map { arn.part($0.appInstanceId.range) } ?? .absent
  }

  /// Takes AppInstance and user from an ARN, unless they are known.
  private mutating func locate(by text: FactSlice) {
    guard appInstanceArnSlice.isAbsent || appInstanceArnSlice.count == 0,
      let parts = ChimeARNParts(self[text])
    else { return }
    appInstanceArnSlice = text.part(parts.appInstanceArn.range)
    appInstanceIdSlice = text.part(parts.appInstanceId.range)
    if parts.resource == .user, let id = parts.resourceId {
      appInstanceUserArnSlice = text
      appInstanceUserIdSlice = text.part(id.range)
    }
  }

  private mutating func readTags(_ list: JSONNode, in document: JSONDocument) {
    var elements = document.elementWalk(list)
    while let element = document.next(&elements) {
      var key = FactSlice.absent
      var value = FactSlice.absent
      var members = document.memberWalk(element)
      while let (name, member) = document.next(&members) {
        if document.isKey(name, "Key") {
          key = slice(of: member, in: document)
        } else if document.isKey(name, "Value") {
          value = slice(of: member, in: document)
        }
      }
      if !key.isAbsent, !value.isAbsent { takeTag(key, value) }
    }
  }

  private mutating func takeTag(_ key: FactSlice, _ value: FactSlice) {
    let fingerprint = FoldedKey.fingerprint(of: self[key])
    tags.append(TagFact(key: key, value: value, received: value, fingerprint: fingerprint))
  }

  private mutating func readExpiration(_ settings: JSONNode, in document: JSONDocument) {
    var walk = document.memberWalk(settings)
    while let (name, member) = document.next(&walk) {
      if document.isKey(name, "ExpirationDays") {
        expirationDays = document.integer(member)
      } else if document.isKey(name, "ExpirationCriterion") {
        expirationCriterionSlice = slice(of: member, in: document)
      }
    }
  }

  /// Where a string stands; unescaped, if it must be, into the side buffer.
  private mutating func slice(of node: JSONNode, in document: JSONDocument) -> FactSlice {
    if let place = document.plainString(node) { return FactSlice(inSource: place) }
    guard let place = document.appendUnescaped(node, to: &side) else { return .absent }
    return FactSlice(inSide: place.range)
  }

  /// Copies bytes into the side buffer.
  mutating func put(_ bytes: Span<UInt8>) -> FactSlice {
    let start = side.count
    side.append(bytes)
    return FactSlice(inSide: start..<side.count)
  }
}

extension JSONDocument {
  /// Whether a key is this one.
  @inline(__always)
  fileprivate func isKey(_ key: JSONNode, _ expected: StaticString) -> Bool {
    guard let given = plainSpan(key) else { return isText(key, Text(expected.description)) }
    return given.isEqual(to: expected)
  }
}

extension Span<UInt8> {
  @inline(__always)
  fileprivate func isEqual(to literal: StaticString) -> Bool {
    // The bytes of a literal are there for good.
    holds(Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }
}

extension ScratchArray {
  /// Appends all elements of another list.
  mutating func append(contentsOf other: borrowing ScratchArray) {
    reserve(count + other.count)
    for index in other.indices { append(other[index]) }
  }
}
