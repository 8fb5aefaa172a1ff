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
    let table = OperationModel.table[Int(call.operation.rawValue)]
    try validateTarget(call, table.input)
    guard let document else {
      try requireBodyMembers(of: table.input, except: 0)
      return
    }
    guard table.takesBody || isEmptyObject(document) else { throw ModelViolation(.unexpectedBody) }
    try structure(document.root, table.input, in: document)
  }

  /// Members in path and query. A label always has a value, so only query members can be missing.
  private static func validateTarget(
    _ call: IdentifiedCall, _ input: ModelStructure
  ) throws(ModelViolation) {
    for member in input.members where member.location != .body {
      guard let value = call.member(member.name) else {
        if member.isRequired { throw ModelViolation(.missing, at: member.name.string) }
        continue
      }
      do { try Self.target(value, member.shape) } catch { throw error.inside(member.name.string) }
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
    case .enumeration(let accepted):
      guard accepted.contains(value) else { throw ModelViolation(.enumeration(accepted)) }
    case .list, .structure:
      preconditionFailure("the generator lets no such member into path or query")
    }
  }

  static func value(
    _ node: JSONNode, _ shape: ModelShape, in document: JSONDocument
  ) throws(ModelViolation) {
    switch shape {
    case .string(let constraint):
      guard let value = document.utf8(node) else { throw wrongType(node, .string, in: document) }
      try string(value.span, constraint)
    case .enumeration(let accepted):
      guard document.kind(node) == .string else { throw wrongType(node, .string, in: document) }
      for candidate in accepted where document.isText(node, candidate) { return }
      throw ModelViolation(.enumeration(accepted))
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
    guard constraint.length.contains(value.scalarCount) else {
      throw ModelViolation(.length(constraint.length))
    }
    guard constraint.pattern.matches(value) else { throw ModelViolation(.pattern(constraint.pattern)) }
  }

  private static func list(
    _ node: JSONNode, _ constraint: ModelList, in document: JSONDocument
  ) throws(ModelViolation) {
    guard document.kind(node) == .array else { throw wrongType(node, .list, in: document) }
    var count = 0
    for element in document.elements(node) {
      // Counted first: what comes after the last one allowed is not looked at.
      guard count < constraint.count.upperBound else { throw ModelViolation(.count(constraint.count)) }
      do { try value(element, constraint.element, in: document) } catch { throw error.inside("[\(count)]") }
      count += 1
    }
    guard constraint.count.contains(count) else { throw ModelViolation(.count(constraint.count)) }
    if case .structure(let element) = constraint.element, element === ModelStructure.tag {
      try distinctTagKeys(node, in: document)
    }
  }

  private static func structure(
    _ node: JSONNode, _ constraint: ModelStructure, in document: JSONDocument
  ) throws(ModelViolation) {
    guard document.kind(node) == .object else { throw wrongType(node, .structure, in: document) }
    var present: UInt64 = 0
    for (key, memberValue) in document.members(node) {
      guard let index = constraint.bodyMember(key, in: document) else {
        throw ModelViolation(.unknownMember, at: document.text(key)?.excerpt ?? "")
      }
      if document.kind(memberValue) == .null { continue }
      do { try value(memberValue, constraint.members[index].shape, in: document) } catch {
        throw error.inside(constraint.members[index].name.string)
      }
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
    throw ModelViolation(.missing, at: constraint.members[missing].name.string)
  }

  private static func distinctTagKeys(
    _ list: JSONNode, in document: JSONDocument
  ) throws(ModelViolation) {
    var keys: [ArraySlice<UInt8>] = []
    for tag in document.elements(list) {
      guard let key = document.member(keyName, of: tag).flatMap({ document.utf8($0) }) else { continue }
      if let first = keys.firstIndex(where: { $0.elementsEqual(key) }) {
        throw ModelViolation(.repeatedTagKey(first: first), at: "[\(keys.count)].Key")
      }
      keys.append(key)
    }
  }

  private static let keyName: Text = "Key"

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
  /// The index of the body member that `key` names.
  fileprivate func bodyMember(_ key: JSONNode, in document: JSONDocument) -> Int? {
    for index in members.indices where document.isText(key, members[index].name) {
      return members[index].location == .body ? index : nil
    }
    return nil
  }
}
