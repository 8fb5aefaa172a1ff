/// Places in a list, found by bits that are as good as random: open addressing in a power of two, at most half full.
struct ReplayIndex: Sendable {
  private struct Slot: BitwiseCopyable {
    /// -1: empty.
    var place: Int32 = -1
    var mark: UInt32 = 0
  }

  private var slots = [Slot](repeating: Slot(), count: 16)
  private(set) var count = 0
  /// What the standard library seeds its hashes with, so that callers cannot choose where their keys gather.
  private let seed = UInt64(UInt(bitPattern: Hasher().finalize()))

  /// The place with these bits for which `isIt` says so; -1 when there is none.
  func find(_ bits: UInt64, _ isIt: (Int) -> Bool) -> Int {
    let slots = slots.span
    let mixed = mixed(bits)
    var index = Int(mixed) & (slots.count - 1)
    while slots[index].place >= 0 {
      if slots[index].mark == mixed, isIt(Int(slots[index].place)) { return Int(slots[index].place) }
      index = (index + 1) & (slots.count - 1)
    }
    return -1
  }

  mutating func insert(_ bits: UInt64, _ place: Int) {
    if 2 * (count + 1) > slots.count { grow() }
    put(Slot(place: Int32(place), mark: mixed(bits)))
    count += 1
  }

  /// - Parameter place: must be there under these bits.
  mutating func remove(_ bits: UInt64, _ place: Int) {
    let mask = slots.count - 1
    var hole = Int(mixed(bits)) & mask
    while slots[hole].place != Int32(place) {
      precondition(slots[hole].place >= 0, "removing what is there")
      hole = (hole + 1) & mask
    }
    // Whatever stands behind it and would be looked for from before the hole moves into it.
    var index = hole
    while true {
      index = (index + 1) & mask
      guard slots[index].place >= 0 else { break }
      let home = Int(slots[index].mark) & mask
      if (index - home) & mask >= (index - hole) & mask {
        slots[hole] = slots[index]
        hole = index
      }
    }
    slots[hole] = Slot()
    count -= 1
  }

  private func mixed(_ bits: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: ((bits ^ seed) &* 0x9E37_79B9_7F4A_7C15) &>> 24)
  }

  private mutating func put(_ slot: Slot) {
    let mask = slots.count - 1
    var index = Int(slot.mark) & mask
    while slots[index].place >= 0 { index = (index + 1) & mask }
    slots[index] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: 2 * old.count)
    for slot in old where slot.place >= 0 { put(slot) }
  }
}
