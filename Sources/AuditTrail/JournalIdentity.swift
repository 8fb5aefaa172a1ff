package import Primitives

/// Which journal it is: a random UUID that is made with the journal and stands in its checkpoints and wherever its
/// records are sent.
package struct JournalIdentity: Sendable, Hashable {
  /// The 36 characters of the UUID, in lower case.
  package let text: String

  /// Beside the segments.
  package static let file = "journal.id"

  /// `nil` when `text` is no UUID as this program writes it.
  package init?(_ text: String) {
    let characters = Array(text.utf8)
    guard characters.count == Self.length else { return nil }
    for (index, character) in characters.enumerated() {
      let isGood =
        if [8, 13, 18, 23].contains(index) {
          character == UInt8(ascii: "-")
        } else {
          Hex.value(of: character) != nil && !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(character)
        }
      guard isGood else { return nil }
    }
    self.text = text
  }

  /// A new one, of 16 random bytes.
  package init(random: some Entropy) { text = RequestID(from: random).text.string }

  /// What the file holds.
  package var bytes: [UInt8] { Array((text + "\n").utf8) }

  package init?(bytes: [UInt8]) {
    guard bytes.last == UInt8(ascii: "\n") else { return nil }
    self.init(String(decoding: bytes.dropLast(), as: UTF8.self))
  }

  /// What a crash can leave of the file while it is written for the first time.
  package static func isTorn(_ bytes: [UInt8]) -> Bool { bytes.count <= length || bytes.contains(0) }

  private static let length = 36
}
