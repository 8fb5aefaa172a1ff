internal import Primitives
package import StrictJSON

/// Holds requests against the service model's input shapes.
///
/// Two decisions that the model leaves open. `null` in place of an optional member is taken as its absence, as the
/// service takes it, and readers of the facts must do so too; for a required member or a list element it is a
/// violation. An operation that has no body members may come without a body or with `{}`, which some clients send:
/// neither can say anything that is not evaluated.
package enum ModelValidator {
  /// - Parameter document: the body; `nil` when it is empty.
  package static func validate(_ call: IdentifiedCall, document: JSONDocument?) throws(ModelViolation) {
    if let violation = call.queryViolation { throw violation }
    let input = call.operation.input
    try validateTarget(call, input)
    guard let document else {
      try requireBodyMembers(of: input, except: 0)
      return
    }
    guard input.members.contains(where: \.isInBody) || isEmptyObject(document) else {
      throw ModelViolation(.unexpectedBody)
    }
    try structure(document.root, input, in: document)
  }

  /// Members in path and query. A label always has a value, so only query members can be missing.
  private static func validateTarget(
    _ call: IdentifiedCall, _ input: ModelStructure
  ) throws(ModelViolation) {
    for member in input.members where !member.isInBody {
      if let value = call.value(of: member) {
        do { try target(value, member.shape) } catch { throw error.inside(member.name) }
      } else if member.isRequired {
        throw ModelViolation(.missing, at: "\(member.name)")
      }
    }
  }

  static func target(_ value: Text, _ shape: ModelShape) throws(ModelViolation) {
    switch shape {
    case .string(let constraint):
      try string(value.utf8.span, constraint)
    case .integer(let range):
      guard let number = canonicalDecimal(value.utf8) else {
        throw ModelViolation(.wrongType(expected: .integer))
      }
      guard range.contains(number) else { throw ModelViolation(.range(range)) }
    case .enumeration, .list, .structure:
      preconditionFailure("the generator lets no such member into path or query")
    }
  }

  static func value(
    _ node: JSONNode, _ shape: ModelShape, in document: JSONDocument
  ) throws(ModelViolation) {
    switch shape {
    case .string(let constraint):
      let read: Void? = try document.withString(node) { value throws(ModelViolation) in
        try string(value, constraint)
      }
      if read == nil { throw wrongType(node, .string, in: document) }
    case .enumeration(let accepted):
      let isAccepted = document.withString(node) { value in
        for candidate in accepted where value.equals(candidate) { return true }
        return false
      }
      guard let isAccepted else { throw wrongType(node, .string, in: document) }
      guard isAccepted else { throw ModelViolation(.enumeration(accepted.map(\.description))) }
    case .integer(let range):
      guard let number = document.integer(node) else { throw wrongType(node, .integer, in: document) }
      guard range.contains(number) else { throw ModelViolation(.range(range)) }
    case .list(let constraint):
      try list(node, constraint, in: document)
    case .structure(let constraint):
      try structure(node, constraint, in: document)
    }
  }

  private static func string(
    _ value: borrowing Span<UInt8>, _ constraint: ModelString
  ) throws(ModelViolation) {
    // A scalar has one to four bytes, which mostly decides without counting.
    let isWithin =
      value.count <= constraint.length.upperBound && value.count / 4 >= constraint.length.lowerBound
    guard isWithin || constraint.length.contains(value.scalarCount) else {
      throw ModelViolation(.length(constraint.length))
    }
    guard constraint.pattern.matches(value) else { throw ModelViolation(.pattern(constraint.pattern)) }
  }

  private static func list(
    _ node: JSONNode, _ constraint: ModelList, in document: JSONDocument
  ) throws(ModelViolation) {
    guard case .array = document.kind(node) else { throw wrongType(node, .list, in: document) }
    var count = 0
    for element in document.elements(node) {
      // Counted first: what comes after the last one allowed is not looked at.
      guard count < constraint.count.upperBound else { throw ModelViolation(.count(constraint.count)) }
      do { try value(element, constraint.element, in: document) } catch { throw error.inside("[\(count)]") }
      count += 1
    }
    guard constraint.count.contains(count) else { throw ModelViolation(.count(constraint.count)) }
    if constraint.holdsTags { try distinctTagKeys(node, count: count, in: document) }
  }

  private static func structure(
    _ node: JSONNode, _ constraint: ModelStructure, in document: JSONDocument
  ) throws(ModelViolation) {
    guard case .object = document.kind(node) else { throw wrongType(node, .structure, in: document) }
    var present: UInt64 = 0
    var index = constraint.members.count - 1
    for (key, memberValue) in document.members(node) {
      guard let found = constraint.bodyMember(key, after: index, in: document) else {
        throw ModelViolation(.unknownMember, at: document.text(key)?.excerpt ?? "")
      }
      index = found
      if case .null = document.kind(memberValue) { continue }
      let member = constraint.members[index]
      do { try value(memberValue, member.shape, in: document) } catch { throw error.inside(member.name) }
      present |= 1 << UInt64(index)
    }
    try requireBodyMembers(of: constraint, except: present)
  }

  /// - Parameter present: a bit for each member that is there.
  private static func requireBodyMembers(
    of constraint: ModelStructure, except present: UInt64
  ) throws(ModelViolation) {
    guard constraint.demanded & ~present != 0 else { return }
    let missing = (constraint.demanded & ~present).trailingZeroBitCount
    throw ModelViolation(.missing, at: "\(constraint.members[missing].name)")
  }

  /// - Parameter list: tags that are valid one by one.
  private static func distinctTagKeys(
    _ list: JSONNode, count: Int, in document: JSONDocument
  ) throws(ModelViolation) {
    guard count > 1 else { return }
    var keys: [ArraySlice<UInt8>] = []
    keys.reserveCapacity(count)
    for tag in document.elements(list) {
      guard let key = document.find("Key", in: tag).flatMap({ document.utf8($0) }) else { continue }
      if let first = keys.firstIndex(where: { $0.span.equals(key.span) }) {
        throw ModelViolation(.repeatedTagKey(first: first), at: "[\(keys.count)].Key")
      }
      keys.append(key)
    }
  }

  private static func wrongType(
    _ node: JSONNode, _ expected: ModelViolation.Expected, in document: JSONDocument
  ) -> ModelViolation {
    ModelViolation(document.kind(node) == .null ? .null : .wrongType(expected: expected))
  }

  private static func isEmptyObject(_ document: JSONDocument) -> Bool {
    document.kind(document.root) == .object && document.members(document.root).isEmpty
  }

  /// Digits without sign, leading zero or anything else, so that every reader sees the same number.
  private static func canonicalDecimal(_ digits: [UInt8]) -> Int? {
    guard !digits.isEmpty, digits.span.allSatisfy(isDigit),
      digits.count == 1 || digits[0] != UInt8(ascii: "0")
    else {
      return nil
    }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}

extension ModelStructure {
  /// The index of the body member that `key` names. Clients mostly write members in the model's order, so the search
  /// begins behind the last one found.
  fileprivate func bodyMember(_ key: JSONNode, after last: Int, in document: JSONDocument) -> Int? {
    let found: Int? = document.withString(key) { name in
      var index = last
      for _ in members.indices {
        index = index + 1 < members.count ? index + 1 : 0
        if name.equals(members[index].name) { return index }
      }
      return -1
    }
    guard let found, found >= 0, members[found].isInBody else { return nil }
    return found
  }
}

extension JSONDocument {
  /// The value of the object's member of this name.
  func find(_ name: StaticString, in object: JSONNode) -> JSONNode? {
    for (key, value) in members(object) where withString(key, { $0.equals(name) }) == true { return value }
    return nil
  }

  /// Lends a string's bytes, which stand in the text unless they have to be unescaped; `nil` when it is no string.
  @inline(__always)
  fileprivate func withString<Result, Failure: Error>(
    _ node: JSONNode, _ body: (borrowing Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    if let place = plainString(node) { return try body(bytes.span.extracting(place)) }
    guard let unescaped = utf8(node) else { return nil }
    return try body(unescaped.span)
  }
}
