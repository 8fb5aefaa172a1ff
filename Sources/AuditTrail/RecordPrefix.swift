package import OpenSSLCrypto

/// Which set of members a record's digest covers. All versions so far cover the whole line.
package enum RecordVersion {
  /// The version of records that are written now.
  package static let current = 1
  /// The versions that are read: 0 is a record of Gatehouse 0.1, which does not name its version.
  package static let known = 0...1
}

/// The beginning of a record's line, by which records are chained.
package struct RecordPrefix {
  package let sequence: Int
  package let previous: SHA256Digest
  /// 0 when the line names none.
  package let version: Int
  /// Where the rest of the line begins.
  let end: Int

  /// `nil` unless the line begins exactly as a record's does.
  package init?(_ line: RawSpan) {
    var cursor = 0
    guard Self.skip("{\"sequence\":", in: line, at: &cursor),
      let number = Self.number(in: line, at: &cursor),
      Self.skip(",\"previous\":\"sha256:", in: line, at: &cursor),
      cursor + 66 <= line.byteCount,
      let digest = SHA256Digest(lowercaseHex: line.extracting(cursor..<cursor + 64))
    else { return nil }
    cursor += 64
    guard Self.skip("\",", in: line, at: &cursor) else { return nil }
    sequence = number
    previous = digest
    guard Self.skip("\"recordVersion\":", in: line, at: &cursor) else {
      version = 0
      end = cursor
      return
    }
    // One that is written is never 0.
    guard let version = Self.number(in: line, at: &cursor), Self.skip(",", in: line, at: &cursor) else {
      return nil
    }
    self.version = version
    end = cursor
  }

  /// Whether the record is of this kind.
  func isFollowed(by literal: StaticString, in line: RawSpan) -> Bool {
    var cursor = end
    return Self.skip(literal, in: line, at: &cursor)
  }

  private static func skip(_ literal: StaticString, in line: RawSpan, at cursor: inout Int) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard cursor + count <= line.byteCount else { return false }
    for offset in 0..<count where literal.utf8Start[offset] != byte(line, cursor + offset) { return false }
    cursor += count
    return true
  }

  /// Decimal as it is written: no sign, no leading zero, at most 18 digits.
  private static func number(in line: RawSpan, at cursor: inout Int) -> Int? {
    let start = cursor
    var value = 0
    while cursor < line.byteCount, cursor - start < 18, case let digit = byte(line, cursor),
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
    {
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
      cursor += 1
    }
    return cursor > start && byte(line, start) != UInt8(ascii: "0") ? value : nil
  }

  private static func byte(_ line: RawSpan, _ offset: Int) -> UInt8 {
    line.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
