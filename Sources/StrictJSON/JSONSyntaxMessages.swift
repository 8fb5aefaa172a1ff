/// Wording of syntax errors for the person who wrote the text.
extension JSONSyntaxError {
  static func unexpected(_ bytes: Span<UInt8>, at offset: Int, wanted: String) -> JSONSyntaxError {
    guard offset < bytes.count else {
      return JSONSyntaxError(
        offset: offset, message: offset == 0 ? "empty text" : "unexpected end of text, expected \(wanted)")
    }
    let found = bytes[offset]
    if offset == 0, found == 0xEF, bytes.count >= 3, bytes[1] == 0xBB, bytes[2] == 0xBF {
      return JSONSyntaxError(
        offset: 0, message: "the text begins with a UTF-8 byte order mark; save it without one")
    }
    return JSONSyntaxError(
      offset: offset, message: "expected \(wanted), found \(name(of: found))\(hint(found, bytes, offset))",
      reason: "expected \(wanted)")
  }

  private static func name(of byte: UInt8) -> String {
    switch byte {
    case 0x21...0x7E: "`\(Unicode.Scalar(byte))`"
    case 0x0A, 0x0D: "a line break"
    default: "byte \(hexadecimal(byte))"
    }
  }

  /// What the habits of other formats most often need to be told.
  private static func hint(_ found: UInt8, _ bytes: Span<UInt8>, _ offset: Int) -> String {
    switch found {
    case UInt8(ascii: "/"), UInt8(ascii: "#"): return " (JSON has no comments)"
    case UInt8(ascii: "'"): return " (strings stand in double quotes)"
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      var before = offset - 1
      while before >= 0, bytes[before] <= 0x20 { before -= 1 }
      return before >= 0 && bytes[before] == UInt8(ascii: ",") ? " (no comma after the last one)" : ""
    default: return ""
    }
  }
}

/// `0x0A`
func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return digits.count == 1 ? "0x0\(digits)" : "0x\(digits)"
}
