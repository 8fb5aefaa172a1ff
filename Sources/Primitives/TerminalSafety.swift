/// Output without what a terminal acts on: C0 controls but tab and line feed, DEL, C1 controls, marks of direction, line
/// and paragraph separators, and bytes that are no UTF-8 (a terminal may take one for a C1 control).
package enum TerminalSafety {
  /// What is printed, and so what stands for a character that is not let through.
  package enum Form: Sendable {
    /// U+FFFD
    case text
    /// `\u001b`, which every reader of JSON takes for the character itself. Outside its strings JSON has no such
    /// characters but as white space, which a space stands for.
    case json
    /// `\u001b` as well, for people; lines end with CR LF.
    case csv
  }

  /// - Returns: `bytes` themselves when there is nothing to be changed in them, as nearly always.
  package static func safe(_ bytes: [UInt8], as form: Form) -> [UInt8] {
    var source = Source(bytes: bytes, form: form)
    guard let first = source.nextUnsafe() else { return bytes }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + 64)
    var copied = 0
    var found = first
    while true {
      out += bytes[copied..<found.range.lowerBound]
      form.write(found.scalar, to: &out)
      copied = found.range.upperBound
      guard let next = source.nextUnsafe() else { break }
      found = next
    }
    out += bytes[copied...]
    return out
  }

  package static func safe(_ text: String) -> String {
    String(decoding: safe(Array(text.utf8), as: .text), as: UTF8.self)
  }

  /// Whether a terminal acts on it.
  static func isControl(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A: false
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// Looks for what is not let through.
private struct Source {
  let bytes: [UInt8]
  let form: TerminalSafety.Form
  private var index = 0

  init(bytes: [UInt8], form: TerminalSafety.Form) {
    self.bytes = bytes
    self.form = form
  }

  /// - Returns: where it stands, and which it is; U+FFFD for bytes that are no UTF-8.
  mutating func nextUnsafe() -> (range: Range<Int>, scalar: UInt32)? {
    while index < bytes.count {
      skipPlain()
      guard index < bytes.count else { break }
      let byte = bytes[index]
      if byte < 0x80 {
        index += 1
        if byte >= 0x20, byte != 0x7F { continue }
        guard TerminalSafety.isControl(UInt32(byte)), !isLineEnd(at: index - 1) else { continue }
        return (index - 1..<index, UInt32(byte))
      }
      let start = index
      var decoder = UTF8()
      var rest = bytes[start...].prefix(4).makeIterator()
      switch decoder.decode(&rest) {
      case .scalarValue(let scalar):
        index += UTF8.width(scalar)
        if TerminalSafety.isControl(scalar.value) { return (start..<index, scalar.value) }
      case .emptyInput, .error:
        index += 1
        return (start..<index, 0xFFFD)
      }
    }
    return nil
  }

  /// Goes on over eight bytes at a time that are printable ASCII, as nearly everything is.
  private mutating func skipPlain() {
    bytes.withUnsafeBytes { buffer in
      while index + 8 <= buffer.count {
        let word = buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let highs: UInt64 = 0x8080_8080_8080_8080
        let belowSpace = word &- 0x2020_2020_2020_2020
        let delete = (word ^ 0x7F7F_7F7F_7F7F_7F7F) &- 0x0101_0101_0101_0101
        // A borrow may mark a byte that is plain; then the bytes are looked at one by one.
        guard (word | belowSpace | delete) & highs == 0 else { return }
        index += 8
      }
    }
  }

  private func isLineEnd(at index: Int) -> Bool {
    form == .csv && bytes[index] == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A
  }
}

extension TerminalSafety.Form {
  fileprivate func write(_ scalar: UInt32, to out: inout [UInt8]) {
    switch self {
    case .text: out += Array("\u{FFFD}".utf8)
    case .json where scalar < 0x20: out.append(UInt8(ascii: " "))
    case .json, .csv:
      out.append("\\u")
      out.append(hex: [UInt8(truncatingIfNeeded: scalar >> 8), UInt8(truncatingIfNeeded: scalar)])
    }
  }
}
