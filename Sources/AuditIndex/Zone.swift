internal import Foundation

/// 4096 sequence numbers in a row. Of each zone the index has the earliest and the latest time and, for each term, one
/// row with all the requests that have it: what many requests have in common takes two bytes of each.
enum Zone {
  /// `sequence >> shift` is the number of its zone.
  static let shift = 12
  /// `zone >> runShift` is the number of its run: zones whose rows lie together.
  static let runShift = 6

  private static let mask = 1 << shift - 1

  /// The places of sequence numbers in their zone, two bytes each, the higher one first.
  static func encode(_ sequences: some Sequence<Int>) -> Data {
    var data = Data()
    var last: Int?
    for sequence in sequences where sequence != last {
      last = sequence
      data.append(UInt8(truncatingIfNeeded: (sequence & mask) >> 8))
      data.append(UInt8(truncatingIfNeeded: sequence))
    }
    return data
  }

  /// The sequence numbers with these places. What was added later stands behind, whatever its number, and may be there
  /// already.
  /// - Returns: in order, each once.
  static func decode(_ places: [UInt8], of zone: Int) -> [Int] {
    let base = zone << shift
    var sequences: [Int] = []
    sequences.reserveCapacity(places.count / 2)
    var isInOrder = true
    for place in stride(from: 0, to: places.count - 1, by: 2) {
      let sequence = base + Int(places[place]) << 8 + Int(places[place + 1])
      if let last = sequences.last, last >= sequence { isInOrder = false }
      sequences.append(sequence)
    }
    return isInOrder ? sequences : Set(sequences).sorted()
  }
}
