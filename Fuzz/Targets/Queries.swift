internal import Primitives

/// The canonical form is that of a simple reading, its own canonical form, and made of what needs no encoding.
func checkQuery(_ bytes: [UInt8]) throws(Disagreement) {
  guard let query = try? CanonicalQuery(parsing: bytes) else { return }
  let encoded = query.encoded
  try expect(
    encoded.allSatisfy { PercentCoding.isUnreserved($0) || "%=&".utf8.contains($0) }, "`\(shown(encoded))`")

  // By the reference: every pair decoded, encoded anew, sorted.
  var pairs: [(name: [UInt8], value: [UInt8])] = []
  for pair in bytes.split(separator: 0x26) {
    let parts = pair.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = PercentCoding.decode(parts[0]),
      let value = PercentCoding.decode(parts.dropFirst().first ?? [])
    else { throw Disagreement(description: "read, but not to be decoded: \(shown(bytes))") }
    pairs.append((encode(name), encode(value)))
  }
  pairs.sort {
    $0.name == $1.name
      ? $0.value.lexicographicallyPrecedes($1.value) : $0.name.lexicographicallyPrecedes($1.name)
  }
  let expected = Array(pairs.map { $0.name + [0x3D] + $0.value }.joined(separator: [0x26]))
  try expect(expected == encoded, "`\(shown(encoded))`, by the reference `\(shown(expected))`")

  guard let again = try? CanonicalQuery(parsing: encoded) else {
    throw Disagreement(description: "the canonical `\(shown(encoded))` is refused")
  }
  try expect(again.encoded == encoded, "`\(shown(encoded))` becomes `\(shown(again.encoded))`")
  let isSame =
    again.pairs.map(\.name) == query.pairs.map(\.name) && again.pairs.map(\.value) == query.pairs.map(\.value)
  try expect(isSame, "`\(shown(encoded))` has other pairs")
}

private func encode(_ bytes: [UInt8]) -> [UInt8] {
  bytes.flatMap { byte in
    PercentCoding.isUnreserved(byte) ? [byte] : Array("%\(Hex.encode([byte]).uppercased())".utf8)
  }
}
