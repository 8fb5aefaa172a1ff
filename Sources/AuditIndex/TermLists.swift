internal import AuditTrail
internal import Primitives

/// Of a zone, the terms of one bucket with the requests that have them: one row of the index.
///
/// Little-endian: the number of terms (4 bytes); their bits (4 each, in order); how many entries each has (2 each);
/// then the entries of one after the other. An entry is a request's number (2 bytes); more than 256 entries are written
/// as a bit for each request of the zone (512 bytes).
enum TermLists {
  /// A term's first bits choose its bucket: a query reads one row of a zone for each term. With so many, the rows of
  /// most journals fill a page of the file each.
  static let buckets = 16

  static func bucket(of term: RecordTerm) -> Int { Int(term.bits >> 28) }

  /// The least bits of a bucket's terms.
  static func first(of bucket: Int) -> UInt32 { UInt32(bucket) << 28 }

  /// Adds the requests that have the term.
  /// - Returns: `false` when these are no such lists.
  static func add(_ term: RecordTerm, in lists: RawSpan, to set: inout RequestSet) -> Bool {
    guard let count = number(lists, at: 0, as: UInt32.self), 4 + 6 * count <= lists.byteCount else {
      return false
    }
    var range = 0..<count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      guard let bits = number(lists, at: 4 + 4 * middle, as: UInt32.self) else { return false }
      if bits == Int(term.bits) { return add(entriesOf: middle, of: count, in: lists, to: &set) }
      range = bits < Int(term.bits) ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return true
  }

  private static func add(entriesOf index: Int, of count: Int, in lists: RawSpan, to set: inout RequestSet)
    -> Bool
  {
    let counts = 4 + 4 * count
    var start = counts + 2 * count
    for earlier in 0..<index {
      guard let entries = number(lists, at: counts + 2 * earlier, as: UInt16.self) else { return false }
      start += size(ofEntries: entries)
    }
    guard let entries = number(lists, at: counts + 2 * index, as: UInt16.self),
      start + size(ofEntries: entries) <= lists.byteCount
    else { return false }
    if entries > mostListed {
      for word in 0..<RequestSet.capacity / 64 {
        set.formUnion(
          word: UInt64(
            littleEndian: lists.unsafeLoadUnaligned(fromByteOffset: start + 8 * word, as: UInt64.self)),
          at: word)
      }
      return true
    }
    for entry in 0..<entries {
      guard let request = number(lists, at: start + 2 * entry, as: UInt16.self), request < RequestSet.capacity
      else { return false }
      set.insert(request)
    }
    return true
  }

  fileprivate static let mostListed = 256

  fileprivate static func size(ofEntries count: Int) -> Int {
    count > mostListed ? RequestSet.capacity / 8 : 2 * count
  }

  @inline(__always)
  private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ lists: RawSpan, at offset: Int, as type: Number.Type
  ) -> Int? {
    guard offset + MemoryLayout<Number>.size <= lists.byteCount else { return nil }
    return Int(Number(littleEndian: lists.unsafeLoadUnaligned(fromByteOffset: offset, as: type)))
  }
}

/// Writes the lists of one bucket after the other, in the same memory.
struct TermListsEncoder: ~Copyable {
  private var terms = ScratchArray<UInt32>()
  private var counts = ScratchArray<UInt16>()
  private var entries = ScratchArray<UInt16>()
  private var out = ByteBuffer()

  /// Adds a term whose requests stand in `pairs`.
  @inline(__always)
  mutating func add(_ term: UInt32, _ pairs: borrowing ScratchArray<UInt64>, _ range: Range<Int>) {
    terms.append(term.littleEndian)
    // More than a zone has requests only if pairs came twice: then, too, it is written as bits.
    counts.append(UInt16(truncatingIfNeeded: min(range.count, Int(UInt16.max))).littleEndian)
    guard range.count <= TermLists.mostListed else { return addBits(pairs, range) }
    var index = range.lowerBound
    while index < range.upperBound {
      entries.append(UInt16(truncatingIfNeeded: ZonePostings.request(pairs[index])).littleEndian)
      index &+= 1
    }
  }

  private mutating func addBits(_ pairs: borrowing ScratchArray<UInt64>, _ range: Range<Int>) {
    var set = RequestSet()
    for index in range { set.insert(ZonePostings.request(pairs[index])) }
    for index in 0..<RequestSet.capacity / 64 {
      let word = set.word(at: index)
      for shift: UInt64 in [0, 16, 32, 48] {
        entries.append(UInt16(truncatingIfNeeded: word &>> shift).littleEndian)
      }
    }
  }

  private static func append<Element>(_ list: borrowing ScratchArray<Element>, to out: inout ByteBuffer) {
    out.append(list.span.bytes)
  }

  /// Lends what was written and forgets it.
  mutating func take<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
    out.removeAll()
    let count = UInt32(truncatingIfNeeded: terms.count).littleEndian
    withUnsafeBytes(of: count) { out.append($0) }
    Self.append(terms, to: &out)
    Self.append(counts, to: &out)
    Self.append(entries, to: &out)
    terms.removeAll()
    counts.removeAll()
    entries.removeAll()
    try out.withBytes(body)
  }
}
