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
    if input.hasTargetMembers { try validateTarget(call, input) }
    guard let document else {
      try requireBodyMembers(of: input, except: 0)
      return
    }
    guard input.hasBodyMembers || isEmptyObject(document) else { throw ModelViolation(.unexpectedBody) }
    try structure(document.root, input, in: document)
  }

  /// Members in path and query. A label always has a value, so only query members can be missing.
  private static func validateTarget(
    _ call: IdentifiedCall, _ input: ModelStructure
  ) throws(ModelViolation) {
    for member in input.members where !member.isInBody {
      if let value = call.value(of: member) {
        do { try target(value.utf8.span, member.shape) } catch { throw error.inside(member.name) }
      } else if member.isRequired {
        throw ModelViolation(.missing, at: "\(member.name)")
      }
    }
  }

  static func target(_ value: Span<UInt8>, _ shape: ModelShape) throws(ModelViolation) {
    switch shape.kind {
    case .string(let constraint):
      try string(value, constraint)
    case .integer(let range):
      guard let number = canonicalDecimal(value) else {
        throw ModelViolation(.wrongType(expected: .integer))
      }
      guard range.contains(number) else { throw ModelViolation(.range(range)) }
    case .enumeration, .list, .structure:
      preconditionFailure("the generator lets no such member into path or query")
    }
  }

  private static func value(
    _ node: JSONNode, _ shape: ModelShape, in document: JSONDocument
  ) throws(ModelViolation) {
    switch shape.kind {
    case .string(let constraint):
      guard let plain = document.plainSpan(node) else {
        return try escapedString(node, constraint, in: document)
      }
      try string(plain, constraint)
    case .enumeration(let accepted):
      guard document.kind(node) == .string else { throw wrongType(node, .string, in: document) }
      for candidate in accepted where document.isText(node, candidate.span) { return }
      throw ModelViolation(.enumeration(accepted.map(\.description)))
    case .integer(let range):
      guard let number = document.integer(node) else { throw wrongType(node, .integer, in: document) }
      guard range.contains(number) else { throw ModelViolation(.range(range)) }
    case .list(let constraint):
      try list(node, constraint, in: document)
    case .structure(let constraint):
      try structure(node, constraint, in: document)
    }
  }

  @inline(never)
  private static func escapedString(
    _ node: JSONNode, _ constraint: ModelString, in document: JSONDocument
  ) throws(ModelViolation) {
    let length = document.source(node).count
    guard document.kind(node) == .string else { throw wrongType(node, .string, in: document) }
    // What says nothing about the characters can often be judged by how many bytes there are at most and at least:
    // an escape, six bytes of text or twelve, is a character.
    if case .anything = constraint.pattern, length - 2 <= constraint.length.upperBound,
      (length - 2 + 11) / 12 >= constraint.length.lowerBound
    {
      return
    }
    guard let text = document.text(node) else { return }
    try string(text.utf8.span, constraint)
  }

  @inline(__always)
  private static func string(_ value: Span<UInt8>, _ constraint: ModelString) throws(ModelViolation) {
    // A scalar has one to four bytes, which mostly decides without counting.
    let count = value.count
    guard
      count <= constraint.length.upperBound && (count &+ 3) &>> 2 >= constraint.length.lowerBound
        || constraint.length.contains(value.scalarCount)
    else { throw ModelViolation(.length(constraint.length)) }
    if case .anything = constraint.pattern { return }
    guard constraint.pattern.matches(value) else { throw ModelViolation(.pattern(constraint.pattern)) }
  }

  private static func list(
    _ node: JSONNode, _ constraint: ModelList, in document: JSONDocument
  ) throws(ModelViolation) {
    guard document.kind(node) == .array else { throw wrongType(node, .list, in: document) }
    let shape = constraint.element
    var count = 0
    var elements = document.elementWalk(node)
    while let element = document.next(&elements) {
      // Counted first: what comes after the last one allowed is not looked at.
      guard count < constraint.count.upperBound else { throw ModelViolation(.count(constraint.count)) }
      do { try value(element, shape, in: document) } catch { throw error.inside("[\(count)]") }
      count &+= 1
    }
    guard constraint.count.contains(count) else { throw ModelViolation(.count(constraint.count)) }
    if constraint.holdsTags, count > 1 { try distinctTagKeys(node, in: document) }
  }

  private static func structure(
    _ node: JSONNode, _ constraint: ModelStructure, in document: JSONDocument
  ) throws(ModelViolation) {
    guard document.kind(node) == .object else { throw wrongType(node, .structure, in: document) }
    var present: UInt64 = 0
    var index = -1
    var members = document.memberWalk(node)
    while let member = document.next(&members) {
      index = constraint.bodyMember(member.key, after: index, in: document)
      guard index >= 0 else {
        throw unknownMember(document.text(member.key)?.excerpt ?? "", of: constraint)
      }
      if document.kind(member.value) == .null { continue }
      do { try value(member.value, constraint.members[index].shape, in: document) } catch {
        throw error.inside(constraint.members[index].name)
      }
      present |= 1 &<< UInt64(truncatingIfNeeded: index)
    }
    try requireBodyMembers(of: constraint, except: present)
  }

  /// Most are slips: an SDK would not have sent it.
  private static func unknownMember(_ name: String, of constraint: ModelStructure) -> ModelViolation {
    let known = constraint.members.indices.map { constraint.members[$0] }.filter(\.isInBody).map {
      "\($0.name)"
    }
    return ModelViolation(.unknownMember(nearest: nearest(to: name, among: known)), at: name)
  }

  /// - Parameter present: a bit for each member that is there.
  @inline(__always)
  private static func requireBodyMembers(
    of constraint: ModelStructure, except present: UInt64
  ) throws(ModelViolation) {
    let missing = constraint.demanded & ~present
    guard missing != 0 else { return }
    throw ModelViolation(.missing, at: "\(constraint.members[missing.trailingZeroBitCount].name)")
  }

  private static func wrongType(
    _ node: JSONNode, _ expected: ModelViolation.Expected, in document: JSONDocument
  ) -> ModelViolation {
    ModelViolation(document.kind(node) == .null ? .null : .wrongType(expected: expected))
  }

  private static func isEmptyObject(_ document: JSONDocument) -> Bool {
    document.kind(document.root) == .object && document.memberWalk(document.root).isAtEnd
  }

  /// Digits without sign, leading zero or anything else, so that every reader sees the same number.
  private static func canonicalDecimal(_ digits: Span<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy(isDigit), digits.count == 1 || digits[0] != UInt8(ascii: "0")
    else { return nil }
    return Int(digits.uncheckedText.string)
  }
}

extension ModelStructure {
  /// The index of the body member that `key` names, or -1. Clients mostly write members in the model's order, so the
  /// search begins behind the last one found.
  @inline(__always)
  fileprivate func bodyMember(_ key: JSONNode, after last: Int, in document: JSONDocument) -> Int {
    let members = members
    var index = last
    guard let name = document.plainSpan(key) else { return bodyMember(named: document.text(key)) }
    for _ in 0..<members.count {
      index = index &+ 1 < members.count ? index &+ 1 : 0
      if name.equals(members[index].name) { return members[index].isInBody ? index : -1 }
    }
    return -1
  }

  @inline(never)
  private func bodyMember(named name: Text?) -> Int {
    members.indices.first { members[$0].isInBody && name?.equals(members[$0].name) == true } ?? -1
  }
}
