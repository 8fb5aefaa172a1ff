internal import Primitives

/// Texts found by their fingerprint (see `FoldedKey`), which whoever asks has made already.
struct KeyTable: Sendable {
  private let texts: TextPool
  private let fingerprints: [UInt64]
  /// Places in the two lists, -1 where there is none; open addressing in a power of two, at most half full.
  private let slots: [Int32]

  init(_ texts: [Text]) {
    self.texts = TextPool(texts)
    fingerprints = texts.map { FoldedKey.fingerprint(of: $0) }
    var size = 2
    while size < 2 * texts.count { size *= 2 }
    var slots = [Int32](repeating: -1, count: size)
    for (index, fingerprint) in fingerprints.enumerated() {
      var slot = Int(truncatingIfNeeded: fingerprint) & (size - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(index)
    }
    self.slots = slots
  }

  var isEmpty: Bool { texts.count == 0 }

  /// The place of the first text with this fingerprint.
  func place(of fingerprint: UInt64) -> Int? {
    let slots = slots.span
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: fingerprint) & mask
    while true {
      let place = Int(slots[slot])
      if place < 0 { return nil }
      if fingerprints[place] == fingerprint { return place }
      slot = (slot + 1) & mask
    }
  }

  /// Whether it is the very text at a place.
  @inline(__always)
  func holds(_ text: Span<UInt8>, at place: Int) -> Bool { texts.holds(text, at: place) }

  /// Whether the very text is among them.
  func holds(_ text: Span<UInt8>) -> Bool {
    // A few are compared sooner than a fingerprint is made.
    texts.count <= 4 ? texts.index(of: text) != nil : holds(text, FoldedKey.fingerprint(of: text))
  }

  /// The same for a text of which the fingerprint is known.
  func holds(_ text: Span<UInt8>, _ fingerprint: UInt64) -> Bool {
    let slots = slots.span
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: fingerprint) & mask
    while true {
      let place = Int(slots[slot])
      if place < 0 { return false }
      if fingerprints[place] == fingerprint, texts.holds(text, at: place) { return true }
      slot = (slot + 1) & mask
    }
  }
}
