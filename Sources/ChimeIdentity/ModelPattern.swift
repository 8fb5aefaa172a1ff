internal import Primitives

/// The string patterns of the service model, matched by hand over UTF-8: whole values, with `.` matching line
/// breaks, `\d` and `\S` by ASCII as the service's own engine takes them.
///
/// The generator names the pattern of each case and stops at one that has none.
package enum ModelPattern: UInt8, Sendable {
  /// `.*`, or no pattern
  case anything
  /// `arn:[a-z0-9-\.]{1,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[^/].{0,1023}`
  case arn
  /// `[-_a-zA-Z0-9]*`
  case requestToken
  /// `arn:aws:lex:[a-z]{2}-[a-z]+-\d{1}:\d{12}:bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}`
  case lexBotAliasArn
  /// `^([A-Za-z]_?)+$`
  case lexIntentName
  /// `[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*`
  ///
  /// The last range is XML's U+10000 to U+10FFFF written wrongly: read to the letter it is U+1000, `0` to U+10FF
  /// and `F`. What either reading allows is accepted, and the service is the judge.
  case resourceName
  /// `[A-Za-z0-9]([A-Za-z0-9\:\-\_\.\@]{0,62}[A-Za-z0-9])?`
  case userId
  /// `.*\S.*`
  case notBlank

  /// Whether all of `value`, which is well-formed UTF-8, matches.
  func matches(_ value: Span<UInt8>) -> Bool {
    switch self {
    case .anything: true
    case .arn: Self.isArn(value)
    case .requestToken: ByteClasses.shared.areAll(.requestToken, value)
    case .lexBotAliasArn: Self.isLexBotAliasArn(value)
    case .lexIntentName: Self.isLexIntentName(value)
    case .resourceName: Self.isResourceName(value)
    case .userId: Self.isUserId(value)
    case .notBlank: Self.isNotBlank(value)
    }
  }

  private static func isArn(_ value: Span<UInt8>) -> Bool {
    guard value.starts(with: "arn:", at: 0) else { return false }
    let classes = ByteClasses.shared
    var index = 4
    for part in 0..<4 {
      let end = classes.end(of: .arnPart, in: value, from: index)
      guard end &- index <= 63, end > index || part > 0, end < value.count,
        value[unchecked: end] == UInt8(ascii: ":")
      else { return false }
      index = end &+ 1
    }
    guard index < value.count, value[unchecked: index] != UInt8(ascii: "/") else { return false }
    // Mostly there are fewer bytes than characters allowed.
    return value.count &- index <= 1024 || value.extracting(index..<value.count).scalarCount <= 1024
  }

  private static func isLexBotAliasArn(_ value: Span<UInt8>) -> Bool {
    var reader = SpanReader()
    return reader.skip("arn:aws:lex:", in: value)
      && reader.skip(exactly: 2, in: value, of: isLower) && reader.skip("-", in: value)
      && !reader.run(in: value, of: isLower).isEmpty && reader.skip("-", in: value)
      && reader.skip(exactly: 1, in: value, of: isDigit) && reader.skip(":", in: value)
      && reader.skip(exactly: 12, in: value, of: isDigit) && reader.skip(":bot-alias/", in: value)
      && reader.skip(exactly: 10, in: value, of: isUpperAlphanumeric) && reader.skip("/", in: value)
      && reader.skip(exactly: 10, in: value, of: isUpperAlphanumeric) && reader.index == value.count
  }

  private static func isLexIntentName(_ value: Span<UInt8>) -> Bool {
    var previous = UInt8(ascii: "_")
    for index in value.indices {
      let byte = value[index]
      guard isLetter(byte) || (byte == UInt8(ascii: "_") && previous != byte) else { return false }
      previous = byte
    }
    return !value.isEmpty
  }

  private static func isNotBlank(_ value: Span<UInt8>) -> Bool {
    for index in value.indices where !isBlank(value[unchecked: index]) { return true }
    return false
  }

  /// Outside both readings are the C0 controls but tab, line feed and carriage return, U+FFFE and U+FFFF.
  private static func isResourceName(_ value: Span<UInt8>) -> Bool {
    for index in value.indices {
      let byte = value[index]
      if byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D { return false }
      if byte == 0xEF, value[index + 1] == 0xBF, value[index + 2] >= 0xBE { return false }
    }
    return true
  }

  private static func isUserId(_ value: Span<UInt8>) -> Bool {
    guard !value.isEmpty, value.count <= 64, isAlphanumeric(value[0]), isAlphanumeric(value[value.count - 1])
    else { return false }
    return ByteClasses.shared.areAll(.userId, value)
  }
}

/// ASCII white space, as `\s`.
@inline(__always) private func isBlank(_ byte: UInt8) -> Bool {
  byte == 0x20 || (0x09...0x0D).contains(byte)
}
