/// A growing list of values without reference counts, in memory of its own: what a request gathers while it is served.
///
/// An append to an `Array` costs about a hundred instructions (uniqueness, growth, bridging); here it is one comparison
/// and a store. It has one owner, so it is moved where an array would be shared. Of no capacity, it owns no memory.
///
/// `@unchecked Sendable`: the memory is this value's alone, and nothing outside it sees the pointer.
@usableFromInline package struct ScratchArray<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
  @usableFromInline internal var base: UnsafeMutablePointer<Element>
  @usableFromInline internal var capacity: Int
  @usableFromInline internal var length = 0

  @inlinable package init(capacity: Int = 0) {
    self.capacity = capacity
    base = capacity > 0 ? .allocate(capacity: capacity) : Self.nowhere
  }

  /// Of so many elements that are the same.
  @inlinable package init(repeating element: Element, count: Int) {
    self.init(capacity: count)
    base.initialize(repeating: element, count: count)
    length = count
  }

  /// Where a list without memory begins. Nothing is read or written there.
  @usableFromInline internal static var nowhere: UnsafeMutablePointer<Element> {
    // Any address but zero will do, so the other side never happens.
    @inlinable get { UnsafeMutablePointer(bitPattern: 16) ?? .allocate(capacity: 1) }
  }

  @inlinable deinit {
    if capacity > 0 { base.deallocate() }
  }

  @inlinable package var count: Int { length }
  @inlinable package var isEmpty: Bool { length == 0 }
  @inlinable package var indices: Range<Int> { Range(uncheckedBounds: (0, length)) }

  /// Traps outside the bounds.
  @inlinable package subscript(index: Int) -> Element {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "reading inside the list")
      return base[index]
    }
    set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "writing inside the list")
      base[index] = newValue
    }
  }

  @inlinable package var span: Span<Element> {
    @_lifetime(borrow self) get {
      // The memory lives as long as `self`, and is not written while it is borrowed.
      let span = Span(_unsafeStart: base, count: length)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  @inlinable package var mutableSpan: MutableSpan<Element> {
    @_lifetime(&self) mutating get {
      // The memory lives as long as `self`, and nobody else reads or writes it meanwhile.
      let span = MutableSpan(_unsafeStart: base, count: length)
      return _overrideLifetime(span, mutating: &self)
    }
  }

  @inlinable package mutating func append(_ element: Element) {
    if length == capacity { grow(to: length &+ 1) }
    base[length] = element
    length &+= 1
  }

  @inlinable package mutating func removeLast() -> Element {
    precondition(length > 0, "taking from an empty list")
    length &-= 1
    return base[length]
  }

  /// Keeps the memory.
  @inlinable package mutating func removeAll() { length = 0 }

  @inlinable package mutating func reserve(_ minimum: Int) {
    if minimum > capacity { grow(to: minimum) }
  }

  @inlinable package var array: [Element] { Array(UnsafeBufferPointer(start: base, count: length)) }

  @usableFromInline @inline(never)
  internal mutating func grow(to minimum: Int) {
    let enough = Swift.max(2 * capacity, minimum, 8)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: enough)
    larger.update(from: base, count: length)
    if capacity > 0 { base.deallocate() }
    base = larger
    capacity = enough
  }
}
