internal import HTTPWire
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

  init(reading value: Range<Int>, of bytes: [UInt8]) throws(IncompleteSignature) {
    guard bytes[value].starts(with: Self.algorithm) else { throw .otherAlgorithm }
    var credential: Range<Int>?
    var signedHeaders: Range<Int>?
    var signature: Range<Int>?
    var start = value.lowerBound + Self.algorithm.count
    while true {
      let end = bytes[start..<value.upperBound].firstIndex(of: UInt8(ascii: ",")) ?? value.upperBound
      let parameter = try Self.parameter(start..<end, of: bytes)
      switch parameter.name {
      case .credential: try Self.set(&credential, parameter)
      case .signedHeaders: try Self.set(&signedHeaders, parameter)
      case .signature: try Self.set(&signature, parameter)
      }
      if end == value.upperBound { break }
      start = end + 1
    }
    guard let credential else { throw .parameterMissing(.credential) }
    guard let signedHeaders else { throw .parameterMissing(.signedHeaders) }
    guard let signature else { throw .parameterMissing(.signature) }
    self.signature = signature
    self.signedHeaders = try SignedHeaderList(reading: signedHeaders, of: bytes)

    var slashes = SlashSeparated(rest: credential)
    guard let id = slashes.next(in: bytes), let date = slashes.next(in: bytes),
      let region = slashes.next(in: bytes), let service = slashes.next(in: bytes),
      let terminator = slashes.next(in: bytes), slashes.next(in: bytes) == nil, !id.isEmpty
    else { throw .parameterMalformed(.credential) }
    accessKeyId = id
    scopeDate = date
    scopeRegion = region
    scopeService = service
    scopeTerminator = terminator
  }

  private static let algorithm = Array("AWS4-HMAC-SHA256 ".utf8)
  private static let names: [(AuthorizationParameter, prefix: [UInt8])] = [
    (.credential, Array("Credential=".utf8)),
    (.signedHeaders, Array("SignedHeaders=".utf8)),
    (.signature, Array("Signature=".utf8)),
  ]

  /// One `Name=value` with the spaces before it; the value is visible ASCII and not empty.
  private static func parameter(
    _ range: Range<Int>, of bytes: [UInt8]
  ) throws(IncompleteSignature) -> (name: AuthorizationParameter, value: Range<Int>) {
    var start = range.lowerBound
    while start < range.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
    let text = bytes[start..<range.upperBound]
    for (name, prefix) in names where text.starts(with: prefix) {
      let value = start + prefix.count..<range.upperBound
      guard !value.isEmpty, bytes[value].allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw .parameterMalformed(name)
      }
      return (name, value)
    }
    throw .unknownParameter
  }

  private static func set(
    _ slot: inout Range<Int>?, _ parameter: (name: AuthorizationParameter, value: Range<Int>)
  ) throws(IncompleteSignature) {
    guard slot == nil else { throw .parameterMalformed(parameter.name) }
    slot = parameter.value
  }
}

/// The names in SignedHeaders: lower case, in strictly ascending order (so none stands twice).
struct SignedHeaderList {
  let range: Range<Int>

  /// SDKs sign a dozen fields. The bound keeps the search for each name in a head of many fields cheap.
  static let maximumCount = 64

  init(reading range: Range<Int>, of bytes: [UInt8]) throws(IncompleteSignature) {
    self.range = range
    var previous: Range<Int>?
    var count = 0
    var names = makeIterator(in: bytes)
    while let name = names.next() {
      count += 1
      guard count <= Self.maximumCount, !name.isEmpty,
        !bytes[name].contains(where: { (0x41...0x5A).contains($0) })
      else { throw .parameterMalformed(.signedHeaders) }
      if let previous, !bytes[previous].lexicographicallyPrecedes(bytes[name]) {
        throw .parameterMalformed(.signedHeaders)
      }
      previous = name
    }
  }

  func makeIterator(in bytes: [UInt8]) -> Iterator { Iterator(bytes: bytes, rest: range) }

  /// Whether the list has `name`, taken case-insensitively.
  func contains(_ name: Range<Int>, of bytes: [UInt8]) -> Bool {
    var names = makeIterator(in: bytes)
    while let listed = names.next() {
      if FieldMatching.isSame(listed: listed, name, in: bytes) { return true }
    }
    return false
  }

  struct Iterator {
    let bytes: [UInt8]
    fileprivate var rest: Range<Int>?

    fileprivate init(bytes: [UInt8], rest: Range<Int>) {
      self.bytes = bytes
      self.rest = rest
    }

    mutating func next() -> Range<Int>? {
      guard let range = rest else { return nil }
      var end = range.lowerBound
      while end < range.upperBound, bytes[end] != UInt8(ascii: ";") { end += 1 }
      rest = end < range.upperBound ? end + 1..<range.upperBound : nil
      return range.lowerBound..<end
    }
  }
}

enum FieldMatching {
  /// Whether the lower-case name at `listed` and the field name at `name` are one name
  /// (RFC 9110 section 5.1: case-insensitive).
  static func isSame(listed: Range<Int>, _ name: Range<Int>, in bytes: [UInt8]) -> Bool {
    guard listed.count == name.count else { return false }
    for offset in 0..<listed.count {
      let byte = bytes[name.lowerBound + offset]
      let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
      if lower != bytes[listed.lowerBound + offset] { return false }
    }
    return true
  }
}

private struct SlashSeparated {
  var rest: Range<Int>?

  mutating func next(in bytes: [UInt8]) -> Range<Int>? {
    guard let range = rest else { return nil }
    let end = bytes[range].firstIndex(of: UInt8(ascii: "/")) ?? range.upperBound
    rest = end < range.upperBound ? end + 1..<range.upperBound : nil
    return range.lowerBound..<end
  }
}
