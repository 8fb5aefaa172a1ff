/// A subject alternative name by which a certificate says who bears it, in the form in which RFC 5280 compares it
/// (sections 7.2 and 7.4): DNS names, and the scheme and host of URIs, without regard to case.
///
/// A DNS name is never the same as a URI, whatever their texts: an authority may be allowed to give away the one and not
/// the other.
package enum CertificateName: Hashable, Sendable {
  case dns(Text)
  case uri(Text)

  package init(dnsName: Text) { self = .dns(Text(uncheckedUTF8: dnsName.utf8.map(\.asciiLowercased))) }

  package init(uri: Text) {
    let bytes = uri.utf8
    let end = Self.endOfAuthority(in: bytes)
    self = .uri(Text(uncheckedUTF8: bytes[..<end].map(\.asciiLowercased) + bytes[end...]))
  }

  /// As people write it: what has a colon is a URI, since no DNS name has one.
  package init(written: Text) {
    self = written.utf8.contains(UInt8(ascii: ":")) ? Self(uri: written) : Self(dnsName: written)
  }

  /// Where scheme and host end; without `//` the scheme alone is compared without case.
  private static func endOfAuthority(in bytes: [UInt8]) -> Int {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return 0 }
    let rest = bytes[(colon + 1)...]
    guard rest.starts(with: "//".utf8) else { return colon }
    return rest.dropFirst(2).firstIndex { "/?#".utf8.contains($0) } ?? bytes.count
  }
}

extension UInt8 {
  fileprivate var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
