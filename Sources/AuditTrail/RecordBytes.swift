internal import OpenSSLCrypto
internal import Primitives

/// Bytes under construction, in memory of their own.
///
/// A record is some fifty small pieces. Appended to an array, each costs a check for uniqueness and two for the
/// capacity, which together take longer than hashing the record does; here it is one comparison and a copy.
struct RecordBytes: ~Copyable {
  // Memory that is ours alone: nothing outside this type sees the pointer.
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// A copy, which belongs to the caller.
  var array: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.baseAddress?.initialize(from: base, count: count)
      initialized = count
    }
  }

  /// Keeps the memory.
  mutating func removeAll() { count = 0 }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    body(UnsafeRawBufferPointer(start: base, count: count))
  }

  mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count += 1
  }

  @inline(__always)
  mutating func append(_ literal: StaticString) {
    append(literal.utf8Start, count: literal.utf8CodeUnitCount)
  }

  mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { append(start, count: buffer.count) }
    }
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    bytes.withMemoryRebound(to: UInt8.self) { buffer in
      if let start = buffer.baseAddress { append(start, count: buffer.count) }
    }
  }

  mutating func append(text: String) {
    for byte in text.utf8 { append(byte) }
  }

  mutating func append(decimal value: Int) {
    if value < 0 { append(UInt8(ascii: "-")) }
    // 20 places hold any 64-bit number; they are filled from behind and then moved to the front.
    reserve(20)
    let end = count + 20
    var start = end
    var rest = value.magnitude
    repeat {
      start -= 1
      base[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    (base + count).update(from: base + start, count: end - start)
    count += end - start
  }

  /// The last `width` decimal digits of a number that is not negative.
  mutating func append(decimal value: Int, width: Int) {
    reserve(width)
    var rest = value
    for place in stride(from: count + width - 1, through: count, by: -1) {
      base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += width
  }

  /// `digits` lower-case hexadecimal digits of the number's lower end.
  mutating func append(hex value: UInt64, digits: Int) {
    reserve(digits)
    for place in 0..<digits {
      base[count + place] = Hex.digit(
        UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - place))) & 15)
    }
    count += digits
  }

  mutating func append(hex digest: SHA256Digest) {
    let words = digest.words
    for word in [words.0, words.1, words.2, words.3] { append(hex: word.bigEndian, digits: 16) }
  }

  /// Appends `,"name":`.
  mutating func append(key name: StaticString) {
    let length = name.utf8CodeUnitCount
    reserve(length + 4)
    let start = base + count
    start[0] = UInt8(ascii: ",")
    start[1] = UInt8(ascii: "\"")
    (start + 2).initialize(from: name.utf8Start, count: length)
    start[length + 2] = UInt8(ascii: "\"")
    start[length + 3] = UInt8(ascii: ":")
    count += length + 4
  }

  /// Appends the bytes between two quotes.
  mutating func append(quoted bytes: [UInt8]) {
    let length = bytes.count
    reserve(length + 2)
    let start = base + count
    start[0] = UInt8(ascii: "\"")
    bytes.withUnsafeBufferPointer { buffer in
      if let source = buffer.baseAddress { (start + 1).initialize(from: source, count: length) }
    }
    start[length + 1] = UInt8(ascii: "\"")
    count += length + 2
  }

  @inline(__always)
  private mutating func append(_ start: UnsafePointer<UInt8>, count more: Int) {
    reserve(more)
    (base + count).initialize(from: start, count: more)
    count += more
  }

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  private mutating func grow(_ more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.initialize(from: base, count: count)
    base.deallocate()
    base = larger
  }
}

extension RecordBytes {
  /// Appends `,"name":"TIME"`.
  mutating func append(member name: StaticString, _ time: WallClockTime) {
    append(key: name)
    append("\"")
    append(time)
    append("\"")
  }

  /// The text form of a UUID.
  mutating func append(_ id: RequestID) {
    append(hex: id.high >> 32, digits: 8)
    append(UInt8(ascii: "-"))
    append(hex: id.high >> 16, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: id.high, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: id.low >> 48, digits: 4)
    append(UInt8(ascii: "-"))
    append(hex: id.low, digits: 12)
  }

  /// `2026-11-23T13:00:00.123Z` (RFC 3339).
  mutating func append(_ time: WallClockTime) {
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
