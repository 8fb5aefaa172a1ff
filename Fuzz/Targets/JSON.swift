internal import Primitives
internal import StrictJSON
internal import TestSupport

/// jansson, with duplicate keys refused, must accept the same texts and read the same values, but for what
/// `DeliberateDifference` lists; and a text inside other bytes must be read as it is alone.
func checkJSON(_ bytes: [UInt8]) throws(Disagreement) {
  let alone = read(bytes, in: 0..<bytes.count)
  let reference = JanssonTree(bytes)
  switch (alone, reference) {
  case (.success(let document), let reference?):
    if let found = reference.difference(from: document) {
      throw Disagreement(description: "jansson reads something else at \(found)")
    }
  case (.success, nil): throw Disagreement(description: "only jansson refuses it")
  case (.failure(let error), _):
    try expect(
      (0...bytes.count).contains(error.offset) && !error.message.isEmpty, "no usable error: \(error)")
    try expect(
      reference == nil || DeliberateDifference(bytes, ours: error) != nil, "only jansson accepts it: \(error)"
    )
  }

  let within = read(Array("[\"".utf8) + bytes + Array("\"]".utf8), in: 2..<2 + bytes.count)
  switch (alone, within) {
  case (.success(let left), .success(let right)):
    let isSame = values(left, left.root, movedBy: 2) == values(right, right.root, movedBy: 0)
    try expect(isSame, "inside other bytes it has other values")
  case (.failure(let left), .failure(let right)):
    try expect(left == right, "inside other bytes: \(right); alone: \(left)")
  default: throw Disagreement(description: "inside other bytes: \(within); alone: \(alone)")
  }
}

private func read(_ bytes: [UInt8], in range: Range<Int>) -> Result<JSONDocument, JSONSyntaxError> {
  Result { () throws(JSONSyntaxError) in try JSONDocument(parsing: bytes, in: range) }
}

/// Everything that a document tells, in the order of the text.
private func values(_ document: JSONDocument, _ node: JSONNode, movedBy shift: Int) -> [String] {
  let source = document.source(node)
  var told = [
    "\(source.lowerBound + shift)+\(source.count) \(document.kind(node)) \(document.integer(node) ?? 0)"
      + " \(document.real(node)?.bitPattern ?? 0) \(document.text(node).map { Hex.encode($0.utf8) } ?? "")"
  ]
  if document.kind(node) == .array {
    for element in document.elements(node) { told += values(document, element, movedBy: shift) }
  } else if document.kind(node) == .object {
    for member in document.members(node) {
      told += values(document, member.key, movedBy: shift) + values(document, member.value, movedBy: shift)
    }
  }
  return told
}
