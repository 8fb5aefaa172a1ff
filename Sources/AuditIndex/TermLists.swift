internal import Primitives

/// Of a zone, the terms of one bucket with the requests that have them: one row of the index.
///
/// Little-endian: the number of terms (4 bytes); their bits (4 each, in order); how many entries each has (2 each);
/// then the entries of one after the other. An entry is a request's number (2 bytes); more than 256 entries are written
/// as a bit for each request of the zone (512 bytes).
enum TermLists {
  /// A term's first bits choose its bucket: a query reads one row of a zone for each term.
  static let buckets = 32

  static func bucket(of term: IndexTerm) -> Int { Int(term.bits >> 27) }

  /// The least bits of a bucket's terms.
  static func first(of bucket: Int) -> UInt32 { UInt32(bucket) << 27 }

  /// Adds the requests that have the term.
  /// - Returns: `false` when these are no such lists.
  static func add(_ term: IndexTerm, in lists: RawSpan, to set: inout RequestSet) -> Bool {
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
  private var entries = ByteBuffer()
  private var out = ByteBuffer()
  private var term: UInt32 = 0
  /// Of the term at hand, as they were added.
  private var requests = ScratchArray<UInt16>()

  mutating func begin(_ term: UInt32) {
    self.term = term
    requests.removeAll()
  }

  mutating func add(_ request: Int) {
    let request = UInt16(truncatingIfNeeded: request)
    // The same pair twice stands side by side, unless another record of the request came later.
    guard requests.isEmpty || requests[requests.count &- 1] != request else { return }
    requests.append(request.littleEndian)
  }

  mutating func finish() {
    terms.append(term.littleEndian)
    // More than a zone has requests only if pairs came twice; which of those that are listed does not matter then.
    counts.append(UInt16(truncatingIfNeeded: min(requests.count, Int(UInt16.max))).littleEndian)
    guard requests.count > TermLists.mostListed else {
      Self.append(requests, to: &entries)
      return
    }
    var set = RequestSet()
    for index in requests.indices { set.insert(Int(UInt16(littleEndian: requests[index]))) }
    set.append(to: &entries)
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
    entries.withBytes { out.append($0) }
    terms.removeAll()
    counts.removeAll()
    entries.removeAll()
    try out.withBytes(body)
  }
}

extension RequestSet {
  fileprivate func append(to out: inout ByteBuffer) {
    for index in 0..<RequestSet.capacity / 64 {
      withUnsafeBytes(of: word(at: index).littleEndian) { out.append($0) }
    }
  }
}
