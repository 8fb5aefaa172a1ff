/// An array that is made once, for the generated tables, and never freed.
///
/// The validator walks these tables for each value of each request. Kept in ordinary arrays and classes they cost it
/// more in reference counting, atomic because loops share them, than in looking at the values.
///
/// `@unchecked Sendable` and an unsafe pointer: the memory is written in `init` only, before anybody else can see it,
/// and stays valid for the life of the process.
package struct ImmortalArray<Element: Sendable>: RandomAccessCollection, ExpressibleByArrayLiteral,
  @unchecked Sendable
{
  private let start: UnsafeMutablePointer<Element>
  package let count: Int

  package init(arrayLiteral elements: Element...) { self.init(elements) }

  init(_ elements: [Element]) {
    start = .allocate(capacity: elements.count)
    count = elements.count
    for (index, element) in elements.enumerated() { (start + index).initialize(to: element) }
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(index: Int) -> Element {
    // Lent, so that looking at one part of a large element does not copy the others.
    _read {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "an index outside the table")
      yield start[index]
    }
  }

  /// The caller knows that the index is in the table.
  subscript(unchecked index: Int) -> Element {
    @inline(__always) _read { yield start[index] }
  }
}

/// A value that is made once, for the generated tables, and never freed: passed on as one pointer.
///
/// `@unchecked Sendable`: as above.
struct Immortal<Value: Sendable>: @unchecked Sendable {
  private let pointer: UnsafeMutablePointer<Value>

  init(_ value: Value) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: value)
  }

  var value: Value {
    _read { yield pointer.pointee }
  }
}
