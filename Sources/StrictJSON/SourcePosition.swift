/// A line and column in a file, both from 1; a column counts Unicode scalars.
package struct SourcePosition: Hashable, Sendable, Comparable {
  package private(set) var line: Int
  package private(set) var column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// The place of a byte in UTF-8 text; the byte after the last has one too.
  package init(ofOffset offset: Int, in bytes: [UInt8]) {
    self.init(line: 1, column: 1)
    advance(over: bytes.prefix(offset))
  }

  /// Moves on over whole or partial UTF-8 text that stands from here on.
  mutating func advance(over bytes: ArraySlice<UInt8>) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}
