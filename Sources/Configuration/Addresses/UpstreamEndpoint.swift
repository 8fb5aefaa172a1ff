/// Where the Chime SDK Identity API is reached: scheme, host and port of a URL that has nothing else.
package struct UpstreamEndpoint: Hashable, Sendable, CustomStringConvertible {
  package let usesTLS: Bool
  /// A DNS name in lower case or an IP address, without brackets.
  package let host: String
  package let port: UInt16

  /// The public endpoint of a region.
  /// - Parameter fips: whether it is the one whose cryptography is validated by FIPS 140.
  package init(region: String, fips: Bool = false) {
    usesTLS = true
    host = "identity-chime\(fips ? "-fips" : "").\(region).amazonaws.com"
    port = 443
  }

  /// `nil` when `text` has anything but scheme, host and port.
  package init?(written text: String) {
    do throws(Rejection) { try self.init(parsing: text) } catch { return nil }
  }

  /// - Throws: what of `text` an endpoint cannot have.
  init(parsing text: String) throws(Rejection) {
    guard let separator = text.firstRange(of: "://") else {
      throw Rejection(message: "expected an http or https URL, found \(quoted(text))")
    }
    switch text[..<separator.lowerBound].lowercased() {
    case "https": usesTLS = true
    case "http": usesTLS = false
    case let scheme: throw Rejection(message: "expected the scheme https or http, found \(quoted(scheme))")
    }
    var authority = text[separator.upperBound...]
    if authority.hasSuffix("/") { authority.removeLast() }
    for (character, part) in [("@", "user information"), ("/", "path"), ("?", "query"), ("#", "fragment")]
    where authority.contains(character) {
      throw Rejection(message: "an endpoint has no \(part); expected such as \"https://host:port\"")
    }
    (host, port) = try Self.split(authority, defaultPort: usesTLS ? 443 : 80)
  }

  /// What the Host header says: no port when it is the scheme's own.
  package var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (usesTLS ? 443 : 80) ? name : "\(name):\(port)"
  }

  package var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }

  package var isLoopback: Bool {
    host == "localhost" || host.hasSuffix(".localhost") || IPAddress(parsing: host.utf8)?.isLoopback == true
  }
}

extension UpstreamEndpoint {
  static func split(
    _ authority: Substring, defaultPort: UInt16
  ) throws(Rejection) -> (host: String, port: UInt16) {
    var name = authority
    var port = defaultPort
    let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[afterBracket...].lastIndex(of: ":") {
      guard let written = parsePort(authority[authority.index(after: colon)...]), written > 0 else {
        throw Rejection(message: "expected a port from 1 to 65535, found \(quoted(String(authority)))")
      }
      port = written
      name = authority[..<colon]
    }
    if name.hasPrefix("["), name.hasSuffix("]") {
      let inner = name.dropFirst().dropLast()
      guard inner.contains(":"), IPAddress(parsing: inner.utf8) != nil else {
        throw Rejection(message: "expected an IPv6 address in brackets, found \(quoted(String(name)))")
      }
      return (String(inner).lowercased(), port)
    }
    guard isHostName(name) else {
      throw Rejection(message: "expected a host name, found \(quoted(String(name)))")
    }
    return (name.lowercased(), port)
  }

  /// RFC 1123 section 2.1, with `_` as found in private networks; a name that ends in digits must be an IPv4 address.
  fileprivate static func isHostName(_ name: Substring) -> Bool {
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...253).contains(name.utf8.count),
      labels.allSatisfy({ label in
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
          && label.allSatisfy { isNameByte($0) }
      })
    else { return false }
    let endsInNumber = labels.last?.allSatisfy { (0x30...0x39).contains($0) } ?? false
    return !endsInNumber || IPAddress(parsing: name.utf8) != nil
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}

extension Form where Value == UpstreamEndpoint {
  static var endpoint: Form {
    let pattern: JSONLiteral = #"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$"#
    return parsed(
      "an http or https URL without path", schema: ["type": "string", "pattern": pattern]
    ) { text throws(Rejection) in try UpstreamEndpoint(parsing: text) }
  }
}

extension Form where Value == String {
  /// A DNS name or an IPv4 address, in lower case.
  static var hostName: Form {
    parsed(
      "a host name such as \"gatehouse.example\"", schema: ["type": "string", "pattern": "^[A-Za-z0-9._-]+$"]
    ) {
      text throws(Rejection) in UpstreamEndpoint.isHostName(text[...]) ? text.lowercased() : nil
    }
  }
}
