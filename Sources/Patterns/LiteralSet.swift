package import Primitives

/// Texts of which one must be the whole value. As many as one likes cost a look-up the same: they are hashed.
package struct LiteralSet: Sendable {
  private let bytes: [UInt8]
  private let places: [ByteSlice]
  /// Indices of places, -1 where there is none; open addressing in a power of two, at most half full.
  private let slots: [Int32]

  /// - Parameter places: of the texts in `bytes`; no more than two thousand million.
  package init(_ bytes: [UInt8], _ places: [ByteSlice]) {
    self.bytes = bytes
    self.places = places
    var size = 2
    while size < 2 * places.count { size *= 2 }
    var slots = [Int32](repeating: -1, count: size)
    let all = bytes.span
    for (index, place) in places.enumerated() {
      var slot = Self.hash(all[place]) & (size - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(index)
    }
    self.slots = slots
  }

  package var count: Int { places.count }

  package func contains(_ text: Span<UInt8>) -> Bool {
    let slots = slots.span
    let all = bytes.span
    let mask = slots.count - 1
    var slot = Self.hash(text) & mask
    while true {
      let index = Int(slots[slot])
      if index < 0 { return false }
      let place = places[index]
      if place.count == text.count, all[place].holds(text) { return true }
      slot = (slot + 1) & mask
    }
  }

  /// FNV-1a; the values that are looked up are short.
  private static func hash(_ text: Span<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in text.indices { hash = (hash ^ UInt64(text[index])) &* 0x0000_0100_0000_01B3 }
    return Int(truncatingIfNeeded: (hash ^ (hash &>> 32)) & 0x7FFF_FFFF_FFFF_FFFF)
  }
}

/// Texts none of which may stand anywhere in a value. One pass looks for all of them.
///
/// They are sorted, and none of them begins with another, which would be found in its place. So at each place of the
/// value at most one can stand: the last one that is not behind what follows there. Most places begin with two bytes
/// that no text begins with, and are done with after that.
package struct LiteralOccurrences: Sendable {
  private let bytes: [UInt8]
  /// In the order of their bytes.
  private let places: [ByteSlice]
  /// A bit for each two bytes that a text begins with; one of a single byte begins with all.
  private let beginnings: [UInt64]
  /// For each byte whether it is a text.
  private let single: ByteSet

  /// - Parameter texts: places in `bytes`; empty ones are left out.
  package init(_ bytes: [UInt8], _ texts: [ByteSlice]) {
    self.bytes = bytes
    let all = bytes.span
    var sorted = texts.filter { $0.count > 0 }
    sorted.sort { bytes[$0.range].lexicographicallyPrecedes(bytes[$1.range]) }
    var kept: [ByteSlice] = []
    for place in sorted {
      if let last = kept.last, last.count <= place.count,
        all[ByteSlice(place.range.lowerBound..<place.range.lowerBound + last.count)].holds(all[last])
      {
        continue
      }
      kept.append(place)
    }
    places = kept
    var beginnings = [UInt64](repeating: 0, count: 1024)
    var single = ByteSet()
    for place in kept {
      let first = Int(bytes[place.range.lowerBound])
      if place.count == 1 {
        single.insert(UInt8(first))
      } else {
        let pair = first << 8 | Int(bytes[place.range.lowerBound + 1])
        beginnings[pair >> 6] |= 1 << UInt64(pair & 63)
      }
    }
    self.beginnings = beginnings
    self.single = single
  }

  package var count: Int { places.count }

  /// A text that stands in the value; `nil`: none does.
  package func first(in text: Span<UInt8>) -> Text? {
    let beginnings = beginnings.span
    for start in text.indices {
      if single.contains(text[start]) { return text.extracting(start..<start + 1).uncheckedText }
      guard start + 1 < text.count else { return nil }
      let pair = Int(text[start]) << 8 | Int(text[start + 1])
      guard beginnings[pair >> 6] >> UInt64(pair & 63) & 1 == 1 else { continue }
      if let found = place(beginning: text.extracting(start..<text.count)) {
        return bytes.span[found].uncheckedText
      }
    }
    return nil
  }

  /// The text that `rest` begins with.
  private func place(beginning rest: Span<UInt8>) -> ByteSlice? {
    let all = bytes.span
    var low = 0
    var high = places.count
    while low < high {
      let middle = (low + high) / 2
      if Self.precedes(rest, all[places[middle]]) { high = middle } else { low = middle + 1 }
    }
    guard low > 0 else { return nil }
    let place = places[low - 1]
    guard place.count <= rest.count, rest.extracting(0..<place.count).holds(all[place]) else { return nil }
    return place
  }

  private static func precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    let common = min(left.count, right.count)
    for index in 0..<common where left[index] != right[index] { return left[index] < right[index] }
    return left.count < right.count
  }
}
