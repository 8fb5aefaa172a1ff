/// The query of a request target, read strictly and written anew in SigV4's canonical form.
///
/// Servers disagree about some queries: `+` is a space or a plus, `;` separates pairs or does not,
/// an empty pair counts or does not, a second `=` belongs to the value or has to be encoded. What
/// was signed, what is evaluated and what is forwarded must be one thing, so all of these are
/// refused. Other reserved characters that RFC 3986 section 3.4 allows bare mean only themselves;
/// the canonical form encodes them, as AWS does before it compares signatures.
package struct CanonicalQuery: Sendable {
  /// Decoded names and values in canonical order. A name without `=` has an empty value.
  package let pairs: [(name: Text, value: Text)]
  /// Strictly encoded pairs sorted by encoded name, then by encoded value (AWS General Reference,
  /// "Create a signed AWS API request", step 1). Empty when there are none.
  package let encoded: [UInt8]

  /// Reads what stands after the `?`; nothing there is no pair.
  package init(parsing raw: some Collection<UInt8>) throws(QueryViolation) {
    guard !raw.isEmpty else {
      pairs = []
      encoded = []
      return
    }
    var reader = PairReader()
    for byte in raw { try reader.take(byte) }
    try reader.endPair()
    var read = reader.pairs
    if read.count > 1 { read.sort { $0.precedes($1) } }
    pairs = read.map { ($0.name, $0.value) }
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    for pair in read {
      if !out.isEmpty { out.append(UInt8(ascii: "&")) }
      out.append(contentsOf: pair.encodedName)
      out.append(UInt8(ascii: "="))
      out.append(contentsOf: pair.encodedValue)
    }
    encoded = out
  }
}

/// Why a query cannot be given one meaning.
package enum QueryViolation: Error, Hashable, Sendable {
  /// A `%` without two hexadecimal digits after it.
  case malformedPercentEncoding
  /// A character that readers take differently (`+`, `;`, a second `=`) or that no URI may hold.
  case unexpectedCharacter(UInt8)
  /// Nothing between two `&`, or before the first, or after the last.
  case emptyPair
  /// A value without a name.
  case emptyName
  /// A name or value that decodes to something else than UTF-8, or holds NUL.
  case notText
}

private struct QueryPair {
  let name: Text
  let value: Text
  let encodedName: [UInt8]
  let encodedValue: [UInt8]

  init(name: Text, value: Text) {
    self.name = name
    self.value = value
    encodedName = Self.encode(name)
    encodedValue = Self.encode(value)
  }

  func precedes(_ other: QueryPair) -> Bool {
    if encodedName == other.encodedName {
      return encodedValue.lexicographicallyPrecedes(other.encodedValue)
    }
    return encodedName.lexicographicallyPrecedes(other.encodedName)
  }

  private static func encode(_ text: Text) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    PercentCoding.encode(text.utf8, into: &out)
    return out
  }
}

/// Takes the raw query byte by byte and gathers decoded pairs.
private struct PairReader {
  private(set) var pairs: [QueryPair] = []
  private var name: [UInt8]?
  private var decoded: [UInt8] = []
  private var escape = Escape.none

  /// How much of a `%XX` has been read.
  private enum Escape { case none, first, second(high: UInt8) }

  mutating func take(_ byte: UInt8) throws(QueryViolation) {
    switch escape {
    case .none:
      try takePlain(byte)
    case .first:
      guard let high = Hex.value(of: byte) else { throw .malformedPercentEncoding }
      escape = .second(high: high)
    case .second(let high):
      guard let low = Hex.value(of: byte) else { throw .malformedPercentEncoding }
      decoded.append(high << 4 | low)
      escape = .none
    }
  }

  private mutating func takePlain(_ byte: UInt8) throws(QueryViolation) {
    switch byte {
    case UInt8(ascii: "%"):
      escape = .first
    case UInt8(ascii: "&"):
      try endPair()
    case UInt8(ascii: "="):
      guard name == nil else { throw .unexpectedCharacter(byte) }
      guard !decoded.isEmpty else { throw .emptyName }
      name = decoded
      decoded.removeAll(keepingCapacity: true)
    case _ where PercentCoding.isUnreserved(byte) || Self.isPlainReserved(byte):
      decoded.append(byte)
    default:
      throw .unexpectedCharacter(byte)
    }
  }

  mutating func endPair() throws(QueryViolation) {
    guard case .none = escape else { throw .malformedPercentEncoding }
    if name == nil && decoded.isEmpty { throw .emptyPair }
    let nameBytes = name ?? decoded
    let valueBytes = name == nil ? [] : decoded
    guard let name = Self.text(nameBytes), let value = Self.text(valueBytes) else { throw .notText }
    pairs.append(QueryPair(name: name, value: value))
    self.name = nil
    decoded.removeAll(keepingCapacity: true)
  }

  private static func text(_ bytes: [UInt8]) -> Text? {
    bytes.contains(0) ? nil : Text(validating: bytes)
  }

  /// Reserved characters that may stand bare in a query and that every reader takes as themselves.
  private static func isPlainReserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "'"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: ","), UInt8(ascii: ":"),
      UInt8(ascii: "@"), UInt8(ascii: "/"), UInt8(ascii: "?"):
      true
    default: false
    }
  }
}
