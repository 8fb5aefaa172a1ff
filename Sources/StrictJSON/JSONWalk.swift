// Two ways through a container: as a sequence, which shares the document, or by a walk, which holds no reference.

/// How far one has come through the elements of an array.
@usableFromInline package struct JSONElementWalk: BitwiseCopyable {
  @usableFromInline var cursor: Int32
  @usableFromInline let end: Int32
  @inlinable init(from cursor: Int32, to end: Int32) { (self.cursor, self.end) = (cursor, end) }
  @inlinable package var isAtEnd: Bool { cursor == end }
}

/// How far one has come through the members of an object.
@usableFromInline package struct JSONMemberWalk: BitwiseCopyable {
  @usableFromInline var cursor: Int32
  @usableFromInline let end: Int32
  @inlinable init(from cursor: Int32, to end: Int32) { (self.cursor, self.end) = (cursor, end) }
  @inlinable package var isAtEnd: Bool { cursor == end }
}

extension JSONDocument {
  /// A walk over the elements in order; at its end when `node` is not an array.
  @inlinable package func elementWalk(_ node: JSONNode) -> JSONElementWalk {
    let entry = self[node]
    return JSONElementWalk(
      from: node.index &+ 1, to: entry.kind == .array ? entry.next : node.index &+ 1)
  }

  /// A walk over the members in order; at its end when `node` is not an object.
  @inlinable package func memberWalk(_ node: JSONNode) -> JSONMemberWalk {
    let entry = self[node]
    return JSONMemberWalk(
      from: node.index &+ 1, to: entry.kind == .object ? entry.next : node.index &+ 1)
  }

  @inlinable package func next(_ walk: inout JSONElementWalk) -> JSONNode? {
    guard walk.cursor < walk.end else { return nil }
    let element = walk.cursor
    walk.cursor = tape[element].next
    return JSONNode(index: element)
  }

  @inlinable package func next(_ walk: inout JSONMemberWalk) -> (key: JSONNode, value: JSONNode)? {
    guard walk.cursor < walk.end else { return nil }
    let key = walk.cursor
    walk.cursor = tape[key &+ 1].next
    return (JSONNode(index: key), JSONNode(index: key &+ 1))
  }

  /// In order; empty when it is not an array.
  package func elements(_ node: JSONNode) -> JSONElements {
    JSONElements(document: self, walk: elementWalk(node))
  }

  /// In order; empty when it is not an object.
  package func members(_ node: JSONNode) -> JSONMembers {
    JSONMembers(document: self, walk: memberWalk(node))
  }
}

/// The elements of an array, in order.
package struct JSONElements: Sequence, IteratorProtocol {
  fileprivate let document: JSONDocument
  fileprivate var walk: JSONElementWalk

  package var isEmpty: Bool { walk.isAtEnd }
  /// Walks over all of them.
  package var count: Int { reduce(0) { sum, _ in sum + 1 } }

  package mutating func next() -> JSONNode? { document.next(&walk) }
}

/// The members of an object, in order.
package struct JSONMembers: Sequence, IteratorProtocol {
  fileprivate let document: JSONDocument
  fileprivate var walk: JSONMemberWalk

  package var isEmpty: Bool { walk.isAtEnd }
  /// Walks over all of them.
  package var count: Int { reduce(0) { sum, _ in sum + 1 } }

  package mutating func next() -> (key: JSONNode, value: JSONNode)? { document.next(&walk) }
}
