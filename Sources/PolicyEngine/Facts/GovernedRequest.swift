package import ChimeIdentity
internal import Primitives
package import StrictJSON

/// The facts of one request that policy looks at and may change. What is evaluated is what is forwarded.
///
/// A fact is a slice of the buffer that the request came in, which is shared and never written, or of a side buffer that
/// belongs to this value. What was received can still be told from what was put in, because the journal records what
/// came and the changes apart.
package struct GovernedRequest: ~Copyable, Sendable {
  package internal(set) var operation: Operation
  /// What the facts were read from, and with it the buffer that the request came in. In place, and not optional, so that
  /// its memory serves for the next request and looking at it copies no reference.
  var text: JSONDocument
  /// Whether there is a body, and one that can be read.
  var hasText = false
  /// What was unescaped, decoded, or put in by policy.
  var side: ByteBuffer
  /// In the order in which the caller gave them; those that policy adds follow.
  var tags: ScratchArray<TagFact>
  /// How many of the tags the caller gave.
  var receivedTags = 0
  /// The keys that UntagResource takes away.
  var keysToRemove: ScratchArray<FactSlice>
  /// One a field, in the order in which the fields were first changed.
  var madeChanges: ScratchArray<FactChange>

  var appInstanceArnSlice = FactSlice.absent
  var appInstanceIdSlice = FactSlice.absent
  var appInstanceUserIdSlice = FactSlice.absent
  var appInstanceUserArnSlice = FactSlice.absent
  var resourceArnSlice = FactSlice.absent
  var nameSlice = FactSlice.absent
  var metadataSlice = FactSlice.absent
  var clientRequestTokenSlice = FactSlice.absent
  var expirationCriterionSlice = FactSlice.absent
  var isTokenFilledIn = false
  /// Whether the body has an AppInstanceArn.
  var givesAppInstanceArn = false

  /// As it would be forwarded.
  package internal(set) var expirationDays: Int?
  package internal(set) var receivedExpirationDays: Int?

  /// A request without facts.
  package init(operation: Operation) {
    self.operation = operation
    text = JSONDocument()
    side = ByteBuffer()
    tags = ScratchArray()
    keysToRemove = ScratchArray()
    madeChanges = ScratchArray()
  }

  /// The same facts, so that a policy can be tried on them.
  package func copy() -> GovernedRequest {
    var copy = GovernedRequest(operation: operation)
    copy.text = text
    copy.hasText = hasText
    copy.side.append(side.span)
    copy.tags.append(contentsOf: tags)
    copy.receivedTags = receivedTags
    copy.keysToRemove.append(contentsOf: keysToRemove)
    copy.madeChanges.append(contentsOf: madeChanges)
    copy.appInstanceArnSlice = appInstanceArnSlice
    copy.appInstanceIdSlice = appInstanceIdSlice
    copy.appInstanceUserIdSlice = appInstanceUserIdSlice
    copy.appInstanceUserArnSlice = appInstanceUserArnSlice
    copy.resourceArnSlice = resourceArnSlice
    copy.nameSlice = nameSlice
    copy.metadataSlice = metadataSlice
    copy.clientRequestTokenSlice = clientRequestTokenSlice
    copy.expirationCriterionSlice = expirationCriterionSlice
    copy.isTokenFilledIn = isTokenFilledIn
    copy.givesAppInstanceArn = givesAppInstanceArn
    copy.expirationDays = expirationDays
    copy.receivedExpirationDays = receivedExpirationDays
    return copy
  }

  /// Drops all facts and keeps the memory for those of another request.
  package mutating func removeAll() {
    if hasText { text.removeAll() }
    hasText = false
    side.removeAll()
    tags.removeAll()
    receivedTags = 0
    keysToRemove.removeAll()
    madeChanges.removeAll()
    appInstanceArnSlice = .absent
    appInstanceIdSlice = .absent
    appInstanceUserIdSlice = .absent
    appInstanceUserArnSlice = .absent
    resourceArnSlice = .absent
    nameSlice = .absent
    metadataSlice = .absent
    clientRequestTokenSlice = .absent
    expirationCriterionSlice = .absent
    isTokenFilledIn = false
    givesAppInstanceArn = false
    expirationDays = nil
    receivedExpirationDays = nil
  }
}

extension GovernedRequest {
  /// What the facts were read from; `nil`: the request has no body, or one that cannot be read.
  package var document: JSONDocument? { hasText ? text : nil }
}

// The facts as they would be forwarded; `nil` or, where it says so, empty when the request does not have them.
extension GovernedRequest {
  /// The AppInstance the request is about; empty when it names none.
  package var appInstanceArn: Span<UInt8> {
    @_lifetime(borrow self) get { self[appInstanceArnSlice] }
  }

  /// The part of the AppInstance ARN after `app-instance/`, for `${request.appInstanceId}`; empty when there is none.
  package var appInstanceId: Span<UInt8> {
    @_lifetime(borrow self) get { self[appInstanceIdSlice] }
  }

  /// The user to be created, or the one that the request's ARN names.
  package var appInstanceUserId: Span<UInt8>? {
    @_lifetime(borrow self) get { value(appInstanceUserIdSlice) }
  }

  /// The ARN of the user that the request names. One that is to be created has none before upstream says so.
  package var appInstanceUserArn: Span<UInt8>? {
    @_lifetime(borrow self) get { value(appInstanceUserArnSlice) }
  }

  /// What TagResource and UntagResource are about.
  package var resourceArn: Span<UInt8>? {
    @_lifetime(borrow self) get { value(resourceArnSlice) }
  }

  package var name: Span<UInt8>? {
    @_lifetime(borrow self) get { value(nameSlice) }
  }

  package var metadata: Span<UInt8>? {
    @_lifetime(borrow self) get { value(metadataSlice) }
  }

  package var clientRequestToken: Span<UInt8>? {
    @_lifetime(borrow self) get { value(clientRequestTokenSlice) }
  }

  package var hasClientRequestToken: Bool { !clientRequestTokenSlice.isAbsent }

  /// As the caller gave it.
  package var receivedClientRequestToken: Span<UInt8>? {
    @_lifetime(borrow self) get { isTokenFilledIn ? nil : value(clientRequestTokenSlice) }
  }

  package var expirationCriterion: Span<UInt8>? {
    @_lifetime(borrow self) get { value(expirationCriterionSlice) }
  }

  package var tagCount: Int { tags.count }

  @_lifetime(borrow self)
  package func tagKey(_ index: Int) -> Span<UInt8> { self[tags[index].key] }

  @_lifetime(borrow self)
  package func tagValue(_ index: Int) -> Span<UInt8> { self[tags[index].value] }

  /// How many of the tags the caller gave: the first ones.
  package var receivedTagCount: Int { receivedTags }

  /// What the caller gave one of the first `receivedTagCount` tags, whatever it was changed to.
  @_lifetime(borrow self)
  package func receivedTagValue(_ index: Int) -> Span<UInt8> { self[tags[index].received] }

  /// How many keys UntagResource takes away.
  package var tagKeyCount: Int { keysToRemove.count }

  @_lifetime(borrow self)
  package func tagKeyToRemove(_ index: Int) -> Span<UInt8> { self[keysToRemove[index]] }

  /// The bytes of a slice; none for an absent one.
  subscript(slice: FactSlice) -> Span<UInt8> {
    @_lifetime(borrow self) @inline(__always) get {
      if slice.isAbsent { return side.span.extracting(0..<0) }
      if slice.isInSide { return side.span.extracting(slice.range) }
      return text.bytes.span.extracting(slice.range)
    }
  }

  @_lifetime(borrow self)
  private func value(_ slice: FactSlice) -> Span<UInt8>? { slice.isAbsent ? nil : self[slice] }
}
