package import Configuration
package import HTTPWire
package import Primitives

/// Whose address a request counts for.
package enum SourceAddress {
  /// The peer's, or, if the peer is a trusted proxy, the last address that proxies wrote down which is not one of theirs.
  /// What stands further left could have been made up by whoever called the proxy. At an entry that names no address
  /// belief ends: the trusted proxy that wrote it counts.
  ///
  /// The list is X-Forwarded-For's, and Forwarded's (RFC 7239) where there is no X-Forwarded-For. Proxies that write the
  /// one let the other pass as the caller sent it, and it is X-Forwarded-For that nearly all of them write.
  package static func of(_ head: RequestHead?, peer: Text, trusted: [AddressBlock]) -> Text {
    guard let head, !trusted.isEmpty, isTrusted(peer, trusted) else { return peer }
    var nearest = peer
    for node in nodes(of: head).reversed() {
      guard let address = ForwardedNode.address(in: node) else { return nearest }
      nearest = Text(address.description)
      if !trusted.contains(where: { $0.contains(address) }) { return nearest }
    }
    return nearest
  }

  /// Who forwarded the request, in the order in which they passed it on.
  private static func nodes(of head: RequestHead) -> [ArraySlice<UInt8>] {
    let lines = head.values(named: "x-forwarded-for")
    guard lines.isEmpty else {
      return lines.flatMap { head.bytes[$0].split(separator: UInt8(ascii: ",")) }
        .filter { !$0.allSatisfy(\.isBlank) }
    }
    return head.values(named: "forwarded").flatMap { ForwardedField.nodes(of: head.bytes[$0]) }
  }

  private static func isTrusted(_ address: Text, _ trusted: [AddressBlock]) -> Bool {
    guard let parsed = IPAddress(parsing: address.utf8) else { return false }
    return trusted.contains { $0.contains(parsed) }
  }
}

/// What stands for one hop: an address with or without a port, as RFC 7239 section 6 has it and as proxies write it.
enum ForwardedNode {
  /// Reads `192.0.2.1`, `192.0.2.1:51234`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`, in quotes or not, with
  /// an IPv6 zone or not. `nil`: hidden (`unknown`, `_gateway`) or nothing of the kind.
  static func address(in written: ArraySlice<UInt8>) -> IPAddress? {
    var text = trimmed(written)
    if text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") {
      text = trimmed(text.dropFirst().dropLast())
    }
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")), isPort(text[(end + 1)...]) else { return nil }
      let inner = text[(text.startIndex + 1)..<end]
      return inner.contains(UInt8(ascii: ":")) ? IPAddress(parsing: withoutZone(inner)) : nil
    }
    // One colon sets a port apart; more than one are those of IPv6.
    if let colon = text.firstIndex(of: UInt8(ascii: ":")), colon == text.lastIndex(of: UInt8(ascii: ":")) {
      return isPort(text[colon...]) ? IPAddress(parsing: text[..<colon]) : nil
    }
    return IPAddress(parsing: withoutZone(text))
  }

  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.drop { $0.isBlank }
    while text.last?.isBlank == true { text.removeLast() }
    return text
  }

  /// Nothing, or a colon and what RFC 7239 calls a node-port: digits, or an obfuscated name.
  private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
    guard let colon = text.first else { return true }
    let port = text.dropFirst()
    guard colon == UInt8(ascii: ":"), let first = port.first else { return false }
    if first == UInt8(ascii: "_") {
      return port.count > 1 && port.dropFirst().allSatisfy { $0.isAlphanumeric || "._-".utf8.contains($0) }
    }
    return port.count <= 5 && port.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// The zone (RFC 4007 section 11) says by which interface a proxy reached the address; addresses are compared without.
  private static func withoutZone(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.contains(UInt8(ascii: ":")), let zone = text.firstIndex(of: UInt8(ascii: "%")),
      zone + 1 < text.endIndex
    else { return text }
    return text[..<zone]
  }
}

/// The value of one Forwarded line (RFC 7239 section 4): `for="[2001:db8::1]:4711";proto=https, for=192.0.2.1`.
enum ForwardedField {
  /// What each element says of `for`; empty where it says nothing. A line that is not of this form is one element that says
  /// nothing: where it breaks cannot be told from where a caller broke it.
  static func nodes(of value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    guard let elements = split(value, at: UInt8(ascii: ",")) else { return [value.prefix(0)] }
    return elements.filter { !$0.allSatisfy(\.isBlank) }.map { node(of: $0) ?? $0.prefix(0) }
  }

  /// The value of `for`; `nil` where it is not given, given twice, or the element is malformed.
  private static func node(of element: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let pairs = split(element, at: UInt8(ascii: ";")) else { return nil }
    var found: ArraySlice<UInt8>?
    for pair in pairs {
      guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else {
        guard pair.allSatisfy(\.isBlank) else { return nil }
        continue
      }
      let name = ForwardedNode.trimmed(pair[..<equals])
      guard name.map({ $0 | 0x20 }).elementsEqual("for".utf8) else { continue }
      guard found == nil else { return nil }
      found = pair[(equals + 1)...]
    }
    return found
  }

  /// The parts between separators outside of quoted strings; `nil` when a quoted string does not end.
  private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>]? {
    var parts: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    var index = start
    var isQuoted = false
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\\") where isQuoted: index += 1
      case separator where !isQuoted:
        parts.append(text[start..<index])
        start = index + 1
      default: break
      }
      index += 1
    }
    guard !isQuoted, index == text.endIndex else { return nil }
    parts.append(text[start...])
    return parts
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
  fileprivate var isAlphanumeric: Bool {
    (0x30...0x39).contains(self) || (0x61...0x7A).contains(self | 0x20)
  }
}
