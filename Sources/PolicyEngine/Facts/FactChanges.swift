internal import ChimeIdentity
internal import Primitives

// What policy and gateway change in a request.
extension GovernedRequest {
  /// Adds a tag; call it when its value has no failure.
  mutating func addTag(_ tag: FilledTag, by changer: PolicyHash) -> FactChange {
    let start = side.count
    side.append(tag.bytes)
    let put = FactSlice(inSide: start..<side.count)
    let name = put.part(0..<tag.nameCount)
    let value =
      tag.value.constant == nil ? tag.value.put(into: &self) : put.part(tag.nameCount..<put.count)
    tags.append(
      TagFact(
        key: name.part(5..<name.count), value: value, received: .absent, fingerprint: tag.key.fingerprint))
    return record(.tag, name, tag: tags.count - 1, from: .absent, to: value, by: changer)
  }

  mutating func setTag(_ index: Int, to value: FactSlice, by changer: PolicyHash) -> FactChange {
    let from = tags[index].value
    tags[index].value = value
    let key = self[tags[index].key].array
    return record(.tag, putTagField(key.span), tag: index, from: from, to: value, by: changer)
  }

  /// Sets the days, and the only criterion that the service knows if there were none.
  mutating func setExpiration(days: Int, by changer: PolicyHash) -> FactChange {
    let from = expirationDays.map { put(decimal: $0) } ?? .absent
    if expirationDays == nil {
      let criterion = Self.createdTimestamp
      expirationCriterionSlice = put(criterion.utf8.span)
    }
    expirationDays = days
    return record(
      .expirationDays, put(PolicyField.expirationDays), from: from, to: put(decimal: days), by: changer)
  }

  package mutating func fillClientRequestToken(_ token: Span<UInt8>) {
    clientRequestTokenSlice = put(token)
    isTokenFilledIn = true
    _ = record(
      .clientRequestToken, put(PolicyField.clientRequestToken), from: .absent, to: clientRequestTokenSlice,
      by: nil)
  }

  /// Whether the operation wants a ClientRequestToken and the caller gave none.
  package var lacksClientRequestToken: Bool {
    operation.idempotencyToken != nil && clientRequestTokenSlice.isAbsent
  }

  private mutating func put(decimal number: Int) -> FactSlice {
    let start = side.count
    side.append(decimal: number)
    return FactSlice(inSide: start..<side.count)
  }

  /// `Tags.` and the key.
  private mutating func putTagField(_ key: Span<UInt8>) -> FactSlice {
    let start = side.count
    side.append("Tags.")
    side.append(key)
    return FactSlice(inSide: start..<side.count)
  }

  private mutating func put(_ name: String) -> FactSlice {
    let start = side.count
    side.append(string: name)
    return FactSlice(inSide: start..<side.count)
  }

  /// Keeps a change; of a field changed before, only the way from first to last.
  /// - Returns: this change by itself.
  private mutating func record(
    _ field: FactChange.Field, _ name: FactSlice, tag: Int = 0, from: FactSlice, to: FactSlice,
    by changer: PolicyHash?
  ) -> FactChange {
    let change = FactChange(
      field: field, name: name, tag: Int32(tag), from: from, to: to, changer: changer)
    for index in madeChanges.indices {
      let earlier = madeChanges[index]
      guard earlier.field == field, earlier.tag == change.tag else { continue }
      if !earlier.from.isAbsent, self[earlier.from].holds(self[to]) {
        madeChanges.remove(at: index)
      } else {
        madeChanges[index] = FactChange(
          field: field, name: name, tag: change.tag, from: earlier.from, to: to, changer: changer)
      }
      return change
    }
    madeChanges.append(change)
    return change
  }
}

// What was changed, for those who record or print it.
extension GovernedRequest {
  /// How many fields were changed, each counted once, in the order in which they were first changed.
  package var changeCount: Int { madeChanges.count }

  /// What a changed field held; `nil`: the request did not have it.
  @_lifetime(borrow self)
  package func changedFrom(_ index: Int) -> Span<UInt8>? {
    let from = madeChanges[index].from
    return from.isAbsent ? nil : self[from]
  }

  @_lifetime(borrow self)
  package func changedTo(_ index: Int) -> Span<UInt8> { self[madeChanges[index].to] }

  /// The name of a changed field: `Tags.Owner`, `ClientRequestToken`.
  @_lifetime(borrow self)
  package func changedField(_ index: Int) -> Span<UInt8> { self[madeChanges[index].name] }

  /// The policy that changed a field last; `nil`: the gateway itself.
  package func changer(_ index: Int) -> PolicyHash? { madeChanges[index].changer }

  /// The same for changes of one field by one policy, and hardly ever for others.
  package func changeHash(_ index: Int) -> UInt64 {
    let change = madeChanges[index]
    let field = change.field == .tag ? tags[Int(change.tag)].fingerprint : UInt64(change.field.rawValue)
    let product = ((change.changer?.bits ?? 0) ^ field &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    return product ^ (product &>> 32)
  }

  /// The changes in words of their own, for those who print them.
  package var changes: [Change] {
    var changes: [Change] = []
    for index in madeChanges.indices { changes.append(described(madeChanges[index])) }
    return changes
  }

  func described(_ change: FactChange) -> Change {
    Change(
      field: field(of: change), from: change.from.isAbsent ? nil : self[change.from].uncheckedText,
      to: self[change.to].uncheckedText)
  }

  func field(of change: FactChange) -> String { self[change.name].uncheckedText.string }
}

extension ScratchArray {
  /// Keeps the order of the others.
  mutating func remove(at index: Int) {
    for place in index..<count - 1 { self[place] = self[place + 1] }
    _ = removeLast()
  }
}
