/// Bytes under construction, in memory of their own.
///
/// What a request writes (canonical requests, heads, records, answers) is many small pieces. Appended to an array, each
/// costs a check for uniqueness and two for the capacity, about a hundred instructions; here it is one comparison and a
/// copy. It has one owner, so it is moved where an array would be shared. Kept and emptied, it allocates nothing; of no
/// capacity, it owns no memory.
///
/// `@unchecked Sendable`: the memory is this value's alone, and the pointer leaves it only for the duration of a call.
@usableFromInline package struct ByteBuffer: ~Copyable, @unchecked Sendable {
  @usableFromInline internal var base: UnsafeMutablePointer<UInt8>
  @usableFromInline internal private(set) var capacity: Int
  @usableFromInline internal var length = 0

  @inlinable package init(capacity: Int = 0) {
    self.init(uninitialized: capacity)
  }

  @usableFromInline internal init(uninitialized capacity: Int) {
    self.capacity = capacity
    base = capacity > 0 ? .allocate(capacity: capacity) : Self.nowhere
  }

  /// Where a buffer without memory begins. Nothing is read or written there.
  @usableFromInline internal static var nowhere: UnsafeMutablePointer<UInt8> {
    // Any address but zero will do, so the other side never happens.
    @inlinable get { UnsafeMutablePointer(bitPattern: 16) ?? .allocate(capacity: 1) }
  }

  package init(_ bytes: [UInt8]) {
    self.init(capacity: bytes.count)
    append(bytes)
  }

  @inlinable deinit {
    if capacity > 0 { base.deallocate() }
  }

  @inlinable package var count: Int { length }
  @inlinable package var isEmpty: Bool { length == 0 }
  /// What it holds without growing.
  @inlinable package var room: Int { capacity }

  /// Traps outside the bounds.
  @inlinable package subscript(index: Int) -> UInt8 {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "reading inside the buffer")
      return base[index]
    }
    set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "writing inside the buffer")
      base[index] = newValue
    }
  }

  @inlinable package var span: Span<UInt8> {
    @_lifetime(borrow self) get {
      // The memory lives as long as `self`, and is not written while it is borrowed.
      let span = Span(_unsafeStart: UnsafePointer(base), count: length)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// A copy, which belongs to the caller.
  package var array: [UInt8] {
    // The initialiser with a closure is not specialised: it looks up the array's type each time, 400 instructions.
    [UInt8](UnsafeRawBufferPointer(start: base, count: length))
  }

  /// The bytes, for C functions and system calls, for the duration of `body` only.
  @inlinable package func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: length))
  }

  /// Keeps the memory.
  @inlinable package mutating func removeAll() { length = 0 }

  /// Drops what stands behind the first `count` bytes.
  @inlinable package mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= length, "cutting inside the buffer")
    length = count
  }

  /// Drops the first `count` bytes and moves the others to the front.
  package mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= length, "cutting inside the buffer")
    base.update(from: base + count, count: length - count)
    length -= count
  }

  /// Makes room for `more` bytes behind those that are there.
  @inlinable package mutating func reserve(_ more: Int) {
    if length &+ more > capacity { grow(more) }
  }

  @usableFromInline @inline(never)
  internal mutating func grow(_ more: Int) {
    let enough = max(2 * capacity, length + more, 64)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: enough)
    larger.update(from: base, count: length)
    if capacity > 0 { base.deallocate() }
    base = larger
    capacity = enough
  }
}

// Appending.
extension ByteBuffer {
  @inlinable package mutating func append(_ byte: UInt8) {
    if length == capacity { grow(1) }
    base[length] = byte
    length &+= 1
  }

  @inlinable @inline(__always)
  package mutating func append(_ literal: StaticString) {
    append(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }

  @inlinable package mutating func append(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { append(start: start, count: buffer.count) }
    }
  }

  @inlinable package mutating func append(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { append($0) }
  }

  @inlinable package mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

  @inlinable package mutating func append(_ bytes: ArraySlice<UInt8>) { append(bytes.span) }

  @inlinable package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    // `UInt8` may alias any memory.
    append(start: start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
  }

  @inlinable package mutating func append(text: Text) { append(text.utf8.span) }

  package mutating func append(string: String) {
    var string = string
    string.withUTF8 { buffer in
      if let start = buffer.baseAddress { append(start: start, count: buffer.count) }
    }
  }

  @inlinable @inline(__always)
  internal mutating func append(start: UnsafePointer<UInt8>, count more: Int) {
    reserve(more)
    (base + length).update(from: start, count: more)
    length &+= more
  }

  /// Lets `body` write up to `most` bytes behind those that are there; it returns how many it wrote.
  @inlinable package mutating func append<E: Error>(
    upTo most: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws(E) -> Int
  ) throws(E) {
    reserve(most)
    let written = try body(UnsafeMutableBufferPointer(start: base + length, count: most))
    precondition(written >= 0 && written <= most, "writing inside the buffer")
    length &+= written
  }
}

// Numbers.
extension ByteBuffer {
  /// Decimal digits, with a leading `-` when negative.
  package mutating func append(decimal value: Int) {
    if value < 0 { append(UInt8(ascii: "-")) }
    // 20 places hold any 64-bit number.
    reserve(20)
    let magnitude = UInt64(value.magnitude)
    var places = 1
    var limit: UInt64 = 10
    while magnitude >= limit {
      places &+= 1
      // 10^19 is the last that fits, and no number here has more places.
      guard places < 19 else { break }
      limit &*= 10
    }
    var place = length &+ places
    var rest = magnitude
    repeat {
      place &-= 1
      base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    length &+= places
  }

  /// The last `width` decimal digits of a number that is not negative.
  package mutating func append(decimal value: Int, width: Int) {
    reserve(width)
    var rest = value
    var place = length &+ width
    while place > length {
      place &-= 1
      base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    length &+= width
  }

  /// `digits` lower-case hexadecimal digits of the number's lower end.
  @inlinable package mutating func append(hex value: UInt64, digits: Int) {
    reserve(digits)
    var rest = value
    var place = length &+ digits
    while place > length {
      place &-= 1
      base[place] = Hex.digit(UInt8(truncatingIfNeeded: rest) & 15)
      rest &>>= 4
    }
    length &+= digits
  }

  /// The text form of a UUID.
  package mutating func append(_ id: RequestID) {
    reserve(36)
    let out = UnsafeMutableRawPointer(base + length)
    // Eight digits at a time; where a group ends within them, the rest is written over.
    let parts = (
      Hex.digits(UInt32(truncatingIfNeeded: id.high >> 32)), Hex.digits(UInt32(truncatingIfNeeded: id.high)),
      Hex.digits(UInt32(truncatingIfNeeded: id.low >> 32)), Hex.digits(UInt32(truncatingIfNeeded: id.low))
    )
    out.storeBytes(of: parts.0.littleEndian, toByteOffset: 0, as: UInt64.self)
    out.storeBytes(of: parts.1.littleEndian, toByteOffset: 9, as: UInt64.self)
    out.storeBytes(of: (parts.1 >> 32).littleEndian, toByteOffset: 14, as: UInt64.self)
    out.storeBytes(of: parts.2.littleEndian, toByteOffset: 19, as: UInt64.self)
    out.storeBytes(of: (parts.2 >> 32).littleEndian, toByteOffset: 24, as: UInt64.self)
    out.storeBytes(of: parts.3.littleEndian, toByteOffset: 28, as: UInt64.self)
    out.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 8, as: UInt8.self)
    out.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 13, as: UInt8.self)
    out.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 18, as: UInt8.self)
    out.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 23, as: UInt8.self)
    length &+= 36
  }

  /// 16 lower-case hexadecimal digits.
  @inlinable package mutating func append(hex value: UInt64) {
    reserve(16)
    let out = UnsafeMutableRawPointer(base + length)
    out.storeBytes(
      of: Hex.digits(UInt32(truncatingIfNeeded: value >> 32)).littleEndian, toByteOffset: 0, as: UInt64.self)
    out.storeBytes(
      of: Hex.digits(UInt32(truncatingIfNeeded: value)).littleEndian, toByteOffset: 8, as: UInt64.self)
    length &+= 16
  }

  /// `2026-11-23T13:00:00.123Z` (RFC 3339).
  package mutating func append(rfc3339 time: WallClockTime) {
    let date = CivilDate(time)
    append(decimal: date.year, width: 4)
    append(UInt8(ascii: "-"))
    append(decimal: date.month, width: 2)
    append(UInt8(ascii: "-"))
    append(decimal: date.day, width: 2)
    append(UInt8(ascii: "T"))
    append(decimal: date.hour, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: date.minute, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: date.second, width: 2)
    append(UInt8(ascii: "."))
    append(decimal: date.nanosecond / 1_000_000, width: 3)
    append(UInt8(ascii: "Z"))
  }
}

extension ByteBuffer {
  /// `20261123T130000Z`, the form of X-Amz-Date.
  package mutating func append(amzDate time: WallClockTime) {
    let date = CivilDate(time)
    append(decimal: date.year, width: 4)
    append(decimal: date.month, width: 2)
    append(decimal: date.day, width: 2)
    append(UInt8(ascii: "T"))
    append(decimal: date.hour, width: 2)
    append(decimal: date.minute, width: 2)
    append(decimal: date.second, width: 2)
    append(UInt8(ascii: "Z"))
  }
}

// Comparing.
extension Span<UInt8> {
  /// Whether both hold the same bytes.
  @inlinable package func holds(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    let left = bytes
    let right = other.bytes
    // All loads are in bounds: both have `count` bytes. The last one overlaps the one before.
    if count >= 8 {
      var index = 0
      while index &+ 8 < count {
        if left.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
          != right.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
        {
          return false
        }
        index &+= 8
      }
      return left.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
        == right.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
    }
    if count >= 4 {
      return left.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
        == right.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
        && left.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
          == right.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
    }
    for index in 0..<count where self[unchecked: index] != other[unchecked: index] { return false }
    return true
  }

  /// Whether it holds the bytes of `text`.
  @inlinable package func holds(_ text: Text) -> Bool { holds(text.utf8.span) }

  /// A copy, which belongs to the caller.
  @inlinable package var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

  /// A copy as text. The bytes are known to be well-formed UTF-8.
  @inlinable package var uncheckedText: Text { Text(uncheckedUTF8: array) }
}
