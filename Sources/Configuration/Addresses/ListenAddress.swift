/// An IP address and a port to listen on; port 0 lets the system choose.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  package let ip: IPAddress
  package let port: UInt16

  package init(ip: IPAddress, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  /// Reads `127.0.0.1:8080` or `[::1]:8080`.
  package init?(parsing text: String) {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
      let port = parsePort(text[text.index(after: colon)...])
    else { return nil }
    var host = text.utf8[..<colon]
    let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
    if isBracketed { host = host.dropFirst().dropLast() }
    guard host.contains(UInt8(ascii: ":")) == isBracketed, let ip = IPAddress(parsing: host) else {
      return nil
    }
    self.init(ip: ip, port: port)
  }

  /// Whether no two sockets can listen on both: the same port of one address, or of all addresses of its family. IPv4 and
  /// IPv6 are apart, since a listener on IPv6 takes no connections over IPv4.
  package func meets(_ other: ListenAddress) -> Bool {
    guard port == other.port, port != 0, ip.isIPv4 == other.ip.isIPv4 else { return false }
    return ip == other.ip || ip.isUnspecified || other.ip.isUnspecified
  }

  package var description: String { ip.isIPv4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}

/// A decimal port number without sign or superfluous zeros.
func parsePort(_ text: Substring) -> UInt16? {
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
    text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0")
  else { return nil }
  return UInt16(text)
}

extension Form where Value == ListenAddress {
  static var listenAddress: Form {
    let pattern: JSONLiteral = #"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$"#
    return parsed(
      "an IP address and a port such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
      schema: ["type": "string", "pattern": pattern, "examples": ["127.0.0.1:8080", "[::1]:8080"]]
    ) { text throws(Rejection) in ListenAddress(parsing: text) }
  }
}

extension Form where Value == AddressBlock {
  static var addressBlock: Form {
    let pattern: JSONLiteral = "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"
    return parsed(
      "an IP address or block such as \"10.0.0.0/8\"",
      schema: ["type": "string", "pattern": pattern, "examples": ["10.0.0.0/8"]]
    ) { text throws(Rejection) in AddressBlock(parsing: text) }
  }
}
