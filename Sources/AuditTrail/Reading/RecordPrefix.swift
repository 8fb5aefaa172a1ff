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
    var cursor = LineCursor(line)
    guard cursor.skip("{\"sequence\":"), let number = cursor.positive(),
      cursor.skip(",\"previous\":\"sha256:"), cursor.position + 66 <= line.byteCount,
      let digest = SHA256Digest(
        lowercaseHex: line.extracting(cursor.position..<cursor.position + 64))
    else { return nil }
    cursor.advance(by: 64)
    guard cursor.skip("\",") else { return nil }
    sequence = number
    previous = digest
    if cursor.skip("\"recordVersion\":") {
      // One that is written is never 0.
      guard let version = cursor.positive(), cursor.skip(",") else { return nil }
      self.version = version
    } else {
      version = 0
    }
    end = cursor.position
  }

  /// Whether the record is of this kind.
  func isFollowed(by literal: StaticString, in line: RawSpan) -> Bool {
    var cursor = LineCursor(line, at: end)
    return cursor.skip(literal)
  }
}

extension LineCursor {
  /// A number of records or versions: they are counted from 1.
  fileprivate mutating func positive() -> Int? { integer().flatMap { $0 > 0 ? $0 : nil } }
}
