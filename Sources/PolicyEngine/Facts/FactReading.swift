package import ChimeIdentity
package import Primitives
package import StrictJSON

// Reading the facts of a request.
extension GovernedRequest {
  /// The facts of a request that model validation has passed.
  package init(call: IdentifiedCall, document: JSONDocument?) {
    self.init(operation: call.operation)
    if let document {
      text = document
      hasText = true
    }
    read(call)
  }

  /// Takes the facts of a call into a request that has none yet.
  /// - Parameters:
  ///   - body: where it stands in `bytes`; empty when there is none.
  ///   - known: AppInstances whose ARNs need not be read.
  /// - Throws: when the body cannot be read; what path and query say is there all the same.
  mutating func read(
    _ call: IdentifiedCall, in bytes: [UInt8], body: Range<Int>, _ known: KnownAppInstances?
  ) throws(JSONSyntaxError) {
    var failure: JSONSyntaxError?
    if !body.isEmpty {
      do throws(JSONSyntaxError) {
        try text.parse(bytes, in: body)
        hasText = true
      } catch {
        text.removeAll()
        failure = error
      }
    }
    read(call, known)
    if let failure { throw failure }
  }

  private mutating func read(_ call: IdentifiedCall, _ known: KnownAppInstances? = nil) {
    operation = call.operation
    if hasText { readBody(known) }
    if !call.isPlain {
      for member in call.pathMembers { locate(by: put(member.value.utf8.span)) }
      for member in call.queryMembers { locate(by: put(member.value.utf8.span)) }
    }
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
  private mutating func readBody(_ known: KnownAppInstances?) {
    var walk = text.memberWalk(text.root)
    while let (key, value) = text.next(&walk) { read(key, value) }
    if givesAppInstanceArn { readAppInstance(known) }
    receivedTags = tags.count
    receivedExpirationDays = expirationDays
  }

  /// A member of a request whose facts do not come from a body: a record of the journal.
  package enum ToldMember { case appInstanceArn, appInstanceUserId, resourceArn, name, metadata }

  package mutating func take(_ member: ToldMember, _ value: Text) {
    let slice = put(value.utf8.span)
    switch member {
    case .appInstanceArn:
      appInstanceArnSlice = slice
      readAppInstance(nil)
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
  private mutating func read(_ key: JSONNode, _ value: JSONNode) {
    // Their lengths tell nearly all of them apart; a key with escapes has to be unescaped for that.
    switch text.plainString(key)?.count ?? text.utf8(key)?.count {
    case 4: readFourLetters(key, value)
    case 7:
      if text.isKey(key, "TagKeys") { readTagKeys(value) }
    case 8:
      if text.isKey(key, "Metadata") { metadataSlice = slice(of: value) }
    case 11:
      guard text.isKey(key, "ResourceARN") else { return }
      resourceArnSlice = slice(of: value)
      locate(by: resourceArnSlice)
    case 14:
      guard text.isKey(key, "AppInstanceArn") else { return }
      let arn = slice(of: value)
      guard !arn.isAbsent else { return }
      appInstanceArnSlice = arn
      givesAppInstanceArn = true
    case 17:
      if text.isKey(key, "AppInstanceUserId") { appInstanceUserIdSlice = slice(of: value) }
    case 18:
      if text.isKey(key, "ClientRequestToken") {
        clientRequestTokenSlice = slice(of: value)
      } else if text.isKey(key, "ExpirationSettings") {
        readExpiration(value)
      }
    default: break
    }
  }

  private mutating func readFourLetters(_ key: JSONNode, _ value: JSONNode) {
    if text.isKey(key, "Name") {
      nameSlice = slice(of: value)
    } else if text.isKey(key, "Tags") {
      readTags(value)
    }
  }

  private mutating func readTagKeys(_ list: JSONNode) {
    var walk = text.elementWalk(list)
    while let element = text.next(&walk) {
      let key = slice(of: element)
      if !key.isAbsent { keysToRemove.append(key) }
    }
  }

  /// Finds the id in the AppInstance's ARN.
  private mutating func readAppInstance(_ known: KnownAppInstances?) {
    appInstanceIdSlice = placeOfAppInstanceId(known).map { appInstanceArnSlice.part($0.range) } ?? .absent
  }

  private func placeOfAppInstanceId(_ known: KnownAppInstances?) -> ByteSlice? {
    let arn = self[appInstanceArnSlice]
    return known?.id(in: arn) ?? ChimeARNParts(arn)?.appInstanceId
  }

  /// Takes AppInstance and user from an ARN, unless they are known.
  private mutating func locate(by arn: FactSlice) {
    guard appInstanceArnSlice.isAbsent || appInstanceArnSlice.count == 0,
      let parts = ChimeARNParts(self[arn])
    else { return }
    appInstanceArnSlice = arn.part(parts.appInstanceArn.range)
    appInstanceIdSlice = arn.part(parts.appInstanceId.range)
    if parts.resource == .user, let id = parts.resourceId {
      appInstanceUserArnSlice = arn
      appInstanceUserIdSlice = arn.part(id.range)
    }
  }

  private mutating func readTags(_ list: JSONNode) {
    var elements = text.elementWalk(list)
    while let element = text.next(&elements) {
      var key = FactSlice.absent
      var value = FactSlice.absent
      var members = text.memberWalk(element)
      while let (name, member) = text.next(&members) {
        if text.isKey(name, "Key") {
          key = slice(of: member)
        } else if text.isKey(name, "Value") {
          value = slice(of: member)
        }
      }
      if !key.isAbsent, !value.isAbsent { takeTag(key, value) }
    }
  }

  private mutating func takeTag(_ key: FactSlice, _ value: FactSlice) {
    let fingerprint = FoldedKey.fingerprint(of: self[key])
    tags.append(TagFact(key: key, value: value, received: value, fingerprint: fingerprint))
  }

  private mutating func readExpiration(_ settings: JSONNode) {
    var walk = text.memberWalk(settings)
    while let (name, member) = text.next(&walk) {
      if text.isKey(name, "ExpirationDays") {
        expirationDays = text.integer(member)
      } else if text.isKey(name, "ExpirationCriterion") {
        expirationCriterionSlice = slice(of: member)
      }
    }
  }

  /// Where a string stands; unescaped, if it must be, into the side buffer.
  private mutating func slice(of node: JSONNode) -> FactSlice {
    if let place = text.plainString(node) { return FactSlice(inSource: place) }
    guard let place = text.appendUnescaped(node, to: &side) else { return .absent }
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
