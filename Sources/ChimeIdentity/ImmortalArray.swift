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

  package init(arrayLiteral elements: Element...) {
    start = .allocate(capacity: elements.count)
    count = elements.count
    for (index, element) in elements.enumerated() { (start + index).initialize(to: element) }
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "an index outside the table")
    return start[index]
  }
}
