internal import StrictJSON

/// Where a store is: `redis://USER@HOST:PORT/DATABASE`, or `rediss://` for TLS.
package struct StoreURL: Hashable, Sendable {
  package let usesTLS: Bool
  /// Whom it is signed in as; `nil`: the server's default user.
  package let user: String?
  /// A DNS name in lower case or an IP address, without brackets.
  package let host: String
  package let port: UInt16
  package let database: Int

  /// - Throws: what is wrong, without a word of what was written where a password may stand.
  init(parsing text: String) throws(Rejection) {
    guard let separator = text.firstRange(of: "://") else { throw Self.rejection("another string") }
    switch text[..<separator.lowerBound].lowercased() {
    case "redis": usesTLS = false
    case "rediss": usesTLS = true
    default: throw Self.rejection("another scheme")
    }
    var rest = text[separator.upperBound...]
    if rest.contains(where: { "?#".contains($0) }) {
      throw Rejection(
        message: "a store's URL has neither query nor fragment; its settings are keys beside it")
    }
    if let at = rest.lastIndex(of: "@") {
      let login = rest[..<at]
      rest = rest[rest.index(after: at)...]
      if login.contains(":") {
        throw Rejection(message: "a store's URL has no password; expected it in the file of \"passwordFile\"")
      }
      guard !login.isEmpty, login.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "%") })
      else { throw Self.rejection("a user that has no name, or a name with other characters than ASCII's") }
      user = String(login)
    } else {
      user = nil
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let path = rest[slash...].dropFirst()
    (host, port) = try UpstreamEndpoint.split(rest[..<slash], defaultPort: 6379)
    guard path.isEmpty || path.utf8.allSatisfy({ (0x30...0x39).contains($0) }), path.utf8.count <= 4 else {
      throw Rejection(
        message: "expected the number of a database, 0 to 9999, behind the host of a store's URL")
    }
    database = Int(path) ?? 0
  }

  private static func rejection(_ found: String) -> Rejection {
    Rejection(message: "expected \(Form<StoreURL>.acceptedStoreURL), found \(found)")
  }

  /// `host:port`
  package var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  var isLoopback: Bool {
    host == "localhost" || IPAddress(parsing: host.utf8)?.isLoopback == true
  }
}

extension Form where Value == StoreURL {
  fileprivate static var acceptedStoreURL: String {
    "a URL such as \"redis://user@host:6379/0\" or \"rediss://host\""
  }

  fileprivate static var one: Form {
    let constraints: JSONLiteral = ["type": "string", "pattern": "^[Rr][Ee][Dd][Ii][Ss][Ss]?://[^?#]+$"]
    return Form(acceptedStoreURL, schema: { $0.string(constraints) }) { node, reading in
      guard case .string(let written) = node.value else {
        reading.error(at: node.position, "expected \(acceptedStoreURL), found \(node.typeName)")
        return nil
      }
      guard let text = reading.substitute(written, at: node.position) else { return nil }
      do throws(Rejection) {
        return try StoreURL(parsing: text)
      } catch {
        reading.error(at: node.position, error.message)
        return nil
      }
    }
  }
}

extension Form where Value == [StoreURL] {
  /// One, or a list of at least one.
  static var storeURLs: Form {
    let one = Form<StoreURL>.one
    let list = Form.list(of: one, "a list of at least one URL", atLeast: 1)
    return Form(
      "\(one.accepted), or a list of such", schema: { ["anyOf": [one.schema($0), list.schema($0)]] }
    ) {
      node, reading in
      if case .array = node.value { return list.read(node, reading) }
      return one.read(node, reading).map { [$0] }
    }
  }
}
