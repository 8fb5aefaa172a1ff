/// Wording of syntax errors for the person who wrote the text.
extension JSONSyntaxError {
  /// - Parameters:
  ///   - offset: where the scan ended, in `bytes`, which end where the text does.
  ///   - start: where the text begins.
  init(_ fault: JSONFault, at offset: Int, in bytes: Span<UInt8>, textStart start: Int) {
    let error =
      switch fault {
      case .noValue: Self.unexpected(bytes, at: offset, textStart: start, wanted: "a value")
      case .noKey: Self.unexpected(bytes, at: offset, textStart: start, wanted: "a key in double quotes")
      case .noColon: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`:`")
      case .noTrue: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`true`")
      case .noFalse: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`false`")
      case .noNull: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`null`")
      case .objectGoesOn: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`,` or `}`")
      case .arrayGoesOn: Self.unexpected(bytes, at: offset, textStart: start, wanted: "`,` or `]`")
      case .textGoesOn:
        Self.unexpected(bytes, at: offset, textStart: start, wanted: "the end after the value")
      case .tooDeep:
        JSONSyntaxError(
          offset: offset, message: "nested deeper than \(JSONDocument.maximumDepth) levels")
      case .string: Self.ofString(bytes, at: offset)
      case .number: Self.ofNumber(bytes, at: offset)
      case .duplicateKey: Self.duplicate(bytes, at: offset)
      case .tapeFull: JSONSyntaxError(offset: offset, message: "too many values")
      }
    self.init(offset: error.offset - start, message: error.message, reason: error.reason)
  }

  /// What is wrong with the string that begins at `opening`.
  private static func ofString(_ bytes: Span<UInt8>, at opening: Int) -> JSONSyntaxError {
    let plainEnd = JSONBytes.nextSpecial(in: bytes, from: opening + 1, stopAtNonASCII: true)
    do throws(JSONSyntaxError) { _ = try JSONString.end(bytes, from: opening, plainUntil: plainEnd) } catch {
      return error
    }
    return JSONSyntaxError(offset: opening, message: "not a string")
  }

  /// What is wrong with the number that begins at `start`.
  private static func ofNumber(_ bytes: Span<UInt8>, at start: Int) -> JSONSyntaxError {
    var position = start
    do throws(JSONSyntaxError) { _ = try JSONNumber.skip(bytes, &position) } catch { return error }
    return JSONSyntaxError(offset: start, message: "not a number")
  }

  private static func duplicate(_ bytes: Span<UInt8>, at opening: Int) -> JSONSyntaxError {
    // As it stands in the text, where no control byte can be. It has been read, so it has an end.
    let plainEnd = JSONBytes.nextSpecial(in: bytes, from: opening + 1, stopAtNonASCII: true)
    let key = try? JSONString.end(bytes, from: opening, plainUntil: plainEnd)
    let content = opening + 1..<(key?.end ?? opening + 2) - 1
    let shown = content.prefix(64).map { bytes[$0] }
    let rest = content.count > 64 ? "…" : ""
    return JSONSyntaxError(
      offset: opening, message: "duplicate key \"\(String(decoding: shown, as: UTF8.self))\(rest)\"",
      reason: "duplicate key")
  }

  /// - Parameter start: where the text begins in `bytes`.
  static func unexpected(
    _ bytes: Span<UInt8>, at offset: Int, textStart start: Int, wanted: String
  ) -> JSONSyntaxError {
    guard offset < bytes.count else {
      return JSONSyntaxError(
        offset: offset,
        message: offset == start ? "empty text" : "unexpected end of text, expected \(wanted)")
    }
    let found = bytes[offset]
    if offset == start, found == 0xEF, bytes.count - start >= 3, bytes[start + 1] == 0xBB,
      bytes[start + 2] == 0xBF
    {
      return JSONSyntaxError(
        offset: offset, message: "the text begins with a UTF-8 byte order mark; save it without one")
    }
    return JSONSyntaxError(
      offset: offset,
      message: "expected \(wanted), found \(name(of: found))\(hint(found, bytes, start, offset))",
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
  private static func hint(_ found: UInt8, _ bytes: Span<UInt8>, _ start: Int, _ offset: Int) -> String {
    switch found {
    case UInt8(ascii: "/"), UInt8(ascii: "#"): return " (JSON has no comments)"
    case UInt8(ascii: "'"): return " (strings stand in double quotes)"
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      var before = offset - 1
      while before >= start, bytes[before] <= 0x20 { before -= 1 }
      return before >= start && bytes[before] == UInt8(ascii: ",") ? " (no comma after the last one)" : ""
    default: return ""
    }
  }
}

/// `0x0A`
func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16, uppercase: true)
  return digits.count == 1 ? "0x0\(digits)" : "0x\(digits)"
}
