internal import Primitives

/// The Authorization field of SigV4 ("Authentication methods", AWS General Reference):
/// `AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
///
/// SDKs put `, ` or `,` between the parameters; their order is not fixed. Every range points into
/// the bytes it was read from.
struct AuthorizationField {
  let accessKeyId: Range<Int>
  let scopeDate: Range<Int>
  let scopeRegion: Range<Int>
  let scopeService: Range<Int>
  let scopeTerminator: Range<Int>
  let signedHeaders: SignedHeaderList
  let signature: Range<Int>

  init(reading value: Range<Int>, of bytes: Span<UInt8>) throws(IncompleteSignature) {
    guard bytes.has("AWS4-HMAC-SHA256 ", in: value) else { throw .otherAlgorithm }
    var credential: Range<Int>?
    var signedHeaders: Range<Int>?
    var signature: Range<Int>?
    var parameters = Separated(value.dropFirst("AWS4-HMAC-SHA256 ".utf8.count), by: UInt8(ascii: ","))
    while let parameter = parameters.next(in: bytes) {
      let (name, value) = try Self.parameter(parameter, of: bytes)
      switch name {
      case .credential: try Self.set(&credential, name, value)
      case .signedHeaders: try Self.set(&signedHeaders, name, value)
      case .signature: try Self.set(&signature, name, value)
      }
    }
    guard let credential else { throw .parameterMissing(.credential) }
    guard let signedHeaders else { throw .parameterMissing(.signedHeaders) }
    guard let signature else { throw .parameterMissing(.signature) }
    self.signature = signature
    self.signedHeaders = try SignedHeaderList(reading: signedHeaders, of: bytes)

    var elements = Separated(credential, by: UInt8(ascii: "/"))
    guard let id = elements.next(in: bytes), let date = elements.next(in: bytes),
      let region = elements.next(in: bytes), let service = elements.next(in: bytes),
      let terminator = elements.next(in: bytes), elements.next(in: bytes) == nil, !id.isEmpty
    else { throw .parameterMalformed(.credential) }
    for index in id where !(0x21...0x7E).contains(bytes[index]) {
      throw .parameterMalformed(.credential)
    }
    accessKeyId = id
    scopeDate = date
    scopeRegion = region
    scopeService = service
    scopeTerminator = terminator
  }

  /// One `Name=value` with the spaces before it; the value is not empty.
  private static func parameter(
    _ range: Range<Int>, of bytes: Span<UInt8>
  ) throws(IncompleteSignature) -> (AuthorizationParameter, value: Range<Int>) {
    var start = range.lowerBound
    while start < range.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
    let text = start..<range.upperBound
    let name: AuthorizationParameter
    if bytes.has("Credential=", in: text) {
      name = .credential
    } else if bytes.has("SignedHeaders=", in: text) {
      name = .signedHeaders
    } else if bytes.has("Signature=", in: text) {
      name = .signature
    } else {
      throw .unknownParameter
    }
    let value = start + name.rawValue.utf8.count + 1..<range.upperBound
    guard !value.isEmpty else { throw .parameterMalformed(name) }
    return (name, value)
  }

  private static func set(
    _ slot: inout Range<Int>?, _ name: AuthorizationParameter, _ value: Range<Int>
  ) throws(IncompleteSignature) {
    guard slot == nil else { throw .parameterMalformed(name) }
    slot = value
  }
}

/// The names in SignedHeaders: lower case, in strictly ascending order (so none stands twice).
struct SignedHeaderList {
  let range: Range<Int>

  /// SDKs sign a dozen fields. The bound keeps the search for each name in a head of many fields cheap.
  static let maximumCount = 64

  init(reading range: Range<Int>, of bytes: Span<UInt8>) throws(IncompleteSignature) {
    self.range = range
    var previous: Range<Int>?
    var count = 0
    var names = names
    while let name = names.next(in: bytes) {
      count += 1
      guard count <= Self.maximumCount, !name.isEmpty else { throw .parameterMalformed(.signedHeaders) }
      for index in name where !FieldMatching.isListable(bytes[index]) {
        throw .parameterMalformed(.signedHeaders)
      }
      if let previous, !FieldMatching.precedes(previous, name, in: bytes) {
        throw .parameterMalformed(.signedHeaders)
      }
      previous = name
    }
  }

  var names: Separated { Separated(range, by: UInt8(ascii: ";")) }

  /// Whether the list has `name`, taken case-insensitively.
  func contains(_ name: Range<Int>, of bytes: Span<UInt8>) -> Bool {
    var names = names
    while let listed = names.next(in: bytes) {
      if FieldMatching.isSame(listed: listed, name, in: bytes) { return true }
    }
    return false
  }
}

/// The pieces of a range between separators; n separators make n + 1 pieces.
struct Separated {
  private var rest: Range<Int>?
  private let separator: UInt8

  init(_ range: Range<Int>, by separator: UInt8) {
    rest = range
    self.separator = separator
  }

  mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
    guard let range = rest else { return nil }
    let end = bytes.first(separator, in: range)
    rest = end < range.upperBound ? end + 1..<range.upperBound : nil
    return range.lowerBound..<end
  }
}

enum FieldMatching {
  /// Visible ASCII without upper-case letters.
  static func isListable(_ byte: UInt8) -> Bool {
    (0x21...0x7E).contains(byte) && !(0x41...0x5A).contains(byte)
  }

  /// Whether the lower-case name at `listed` and the field name at `name` are one name
  /// (RFC 9110 section 5.1: case-insensitive).
  static func isSame(listed: Range<Int>, _ name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard listed.count == name.count else { return false }
    precondition(
      listed.upperBound <= bytes.count && name.upperBound <= bytes.count, "comparing inside the head")
    let raw = bytes.bytes
    var offset = 0
    // In bounds: both have `count` bytes.
    while offset &+ 8 <= listed.count {
      let left = raw.unsafeLoadUnaligned(
        fromUncheckedByteOffset: listed.lowerBound &+ offset, as: UInt64.self)
      let right = raw.unsafeLoadUnaligned(
        fromUncheckedByteOffset: name.lowerBound &+ offset, as: UInt64.self)
      if !isSame(listed: left, right) { return false }
      offset &+= 8
    }
    while offset < listed.count {
      let byte = bytes[unchecked: name.lowerBound &+ offset]
      let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
      if lower != bytes[unchecked: listed.lowerBound &+ offset] { return false }
      offset &+= 1
    }
    return true
  }

  /// Eight bytes at once; those of `listed` are listable, and so below 0x80.
  private static func isSame(listed: UInt64, _ name: UInt64) -> Bool {
    let difference = listed ^ name
    guard difference & ~0x2020_2020_2020_2020 == 0 else { return false }
    // Where they differ, `name` has an upper-case letter: these bytes, and none below 0x80 but they, are lifted above
    // 0x7F by the first addition and not by the second.
    let capitals = (name &+ 0x3F3F_3F3F_3F3F_3F3F) & ~(name &+ 0x2525_2525_2525_2525)
    return (difference &<< 2) & ~capitals == 0
  }

  /// Whether `left` sorts before `right`, by bytes.
  static func precedes(_ left: Range<Int>, _ right: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    for offset in 0..<min(left.count, right.count) {
      let (a, b) = (bytes[left.lowerBound + offset], bytes[right.lowerBound + offset])
      if a != b { return a < b }
    }
    return left.count < right.count
  }
}

extension Span<UInt8> {
  /// Whether the bytes of `range` begin with `text`.
  @inline(__always)
  func has(_ text: StaticString, in range: Range<Int>) -> Bool {
    let expected = text.utf8CodeUnitCount
    guard range.count >= expected, range.lowerBound >= 0, range.upperBound <= count else { return false }
    let (raw, wanted) = (bytes, UnsafeRawPointer(text.utf8Start))
    var offset = 0
    // In bounds of both, as checked above. A static string is immortal memory.
    while offset &+ 8 <= expected {
      let word = raw.unsafeLoadUnaligned(
        fromUncheckedByteOffset: range.lowerBound &+ offset, as: UInt64.self)
      if word != wanted.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
      offset &+= 8
    }
    while offset < expected {
      let byte = self[unchecked: range.lowerBound &+ offset]
      if byte != wanted.load(fromByteOffset: offset, as: UInt8.self) { return false }
      offset &+= 1
    }
    return true
  }

  /// Where `byte` stands first in `range`; the end of the range if nowhere.
  func first(_ byte: UInt8, in range: Range<Int>) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "searching inside the buffer")
    let raw = bytes
    var index = range.lowerBound
    // In bounds: `index + 8 <= range.upperBound <= count`.
    while index &+ 8 <= range.upperBound {
      let word = UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
      // A byte that is the one looked for becomes zero, and the lowest zero byte gets the lowest mark.
      let flipped = word ^ 0x0101_0101_0101_0101 &* UInt64(byte)
      let marks = (flipped &- 0x0101_0101_0101_0101) & ~flipped & 0x8080_8080_8080_8080
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < range.upperBound, self[unchecked: index] != byte { index &+= 1 }
    return index
  }
}
