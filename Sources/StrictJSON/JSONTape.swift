/// What the scanner notes of one value (or of one member's key): where it stands and where the next one is.
@usableFromInline struct JSONTapeEntry: BitwiseCopyable, Sendable {
  /// The first byte, and the byte after the last; a string's quotes are within.
  @usableFromInline let start: Int32
  @usableFromInline var end: Int32
  /// The index after this value and all that is inside it. While a container is open: its parent, or -1.
  @usableFromInline var next: Int32
  @usableFromInline let kind: JSONKind
  /// A string that must be unescaped before it is used.
  @usableFromInline let isEscaped: Bool

  @inlinable var source: Range<Int> { Range(uncheckedBounds: (Int(start), Int(end))) }
  /// What stands between a string's quotes.
  @inlinable var content: Range<Int> { Range(uncheckedBounds: (Int(start) &+ 1, Int(end) &- 1)) }
}

/// The finished tape, which all copies of a document share: how much there is and behind it the entries, in one
/// allocation.
///
/// An array would cost three times as much to make. `@unchecked Sendable`: it is filled while its maker alone knows it
/// and only read afterwards.
@usableFromInline struct JSONTape: @unchecked Sendable {
  @usableFromInline struct Extent: BitwiseCopyable {
    @usableFromInline var count: Int
    @usableFromInline let capacity: Int
  }

  @usableFromInline private(set) var storage: ManagedBuffer<Extent, JSONTapeEntry>

  /// - Parameter capacity: how many entries it can take.
  init(capacity: Int) {
    storage = .create(minimumCapacity: capacity) { _ in Extent(count: 0, capacity: capacity) }
  }

  /// Makes an empty tape of it, in the same memory if nobody else has that, it is enough and not too much to be kept.
  mutating func reset(capacity: Int, atMost most: Int = .max) {
    guard isKnownUniquelyReferenced(&storage), (capacity...most).contains(storage.header.capacity) else {
      self = JSONTape(capacity: capacity)
      return
    }
    storage.header.count = 0
  }

  /// Call it on an empty tape that nobody else has.
  /// - Parameter fill: writes as many entries as there is room for and returns how many there are.
  @inline(__always)
  func fill(_ fill: (consuming JSONTapeWriter) -> Int) {
    storage.withUnsafeMutablePointers { extent, entries in
      extent.pointee.count = fill(JSONTapeWriter(into: entries, capacity: extent.pointee.capacity))
    }
  }

  /// Traps beyond the entries.
  @inlinable subscript(index: Int32) -> JSONTapeEntry {
    storage.withUnsafeMutablePointers { extent, entries in
      precondition(UInt32(bitPattern: index) < extent.pointee.count, "reading inside the tape")
      return entries[Int(index)]
    }
  }
}

/// The tape while it is written: memory that its owner lends, and how much of it holds entries.
struct JSONTapeWriter: ~Copyable {
  private let memory: UnsafeMutablePointer<JSONTapeEntry>
  private let capacity: Int
  private(set) var count = 0

  /// - Parameter memory: stays valid and untouched as long as the writer exists.
  init(into memory: UnsafeMutablePointer<JSONTapeEntry>, capacity: Int) {
    self.memory = memory
    self.capacity = capacity
  }

  @inline(__always)
  var isFull: Bool { count == capacity }

  /// The caller has made sure that it is not full.
  @inline(__always)
  mutating func append(_ entry: JSONTapeEntry) {
    (memory + count).initialize(to: entry)
    count &+= 1
  }

  /// Traps beyond the entries.
  @inline(__always)
  subscript(index: Int) -> JSONTapeEntry {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "reading inside the tape")
    return memory[index]
  }

  /// Says of an open container where it ends. Traps beyond the entries.
  /// - Returns: its parent, or -1.
  @inline(__always)
  mutating func close(_ index: Int, end: Int32, next: Int32) -> Int32 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "writing inside the tape")
    let entry = memory + index
    let parent = entry.pointee.next
    entry.pointee.end = end
    entry.pointee.next = next
    return parent
  }

  var span: Span<JSONTapeEntry> {
    @_lifetime(borrow self) get {
      // The memory outlives `self`, and nothing writes while it is borrowed.
      let span = Span(_unsafeStart: UnsafePointer(memory), count: count)
      return _overrideLifetime(span, borrowing: self)
    }
  }
}
