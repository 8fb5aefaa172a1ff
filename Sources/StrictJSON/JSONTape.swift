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

/// The finished tape, which all copies of a document share: its count and behind it the entries, in one allocation.
///
/// An array would cost three times as much to make. `@unchecked Sendable`: it is filled while its maker alone knows it
/// and only read afterwards.
@usableFromInline struct JSONTape: @unchecked Sendable {
  @usableFromInline let storage: ManagedBuffer<Int, JSONTapeEntry>

  /// - Parameter fill: writes up to `capacity` entries and returns how many there are.
  @inline(__always)
  init(capacity: Int, _ fill: (consuming JSONTapeWriter) -> Int) {
    storage = .create(minimumCapacity: capacity) { _ in 0 }
    storage.withUnsafeMutablePointers { count, entries in
      count.pointee = fill(JSONTapeWriter(into: entries, capacity: capacity))
    }
  }

  /// Traps beyond the entries.
  @inlinable subscript(index: Int32) -> JSONTapeEntry {
    storage.withUnsafeMutablePointers { count, entries in
      precondition(UInt32(bitPattern: index) < count.pointee, "reading inside the tape")
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
