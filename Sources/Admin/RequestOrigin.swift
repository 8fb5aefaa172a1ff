internal import HTTPWire
internal import Primitives
internal import Transport

/// `host [":" port]`, as Host and Origin bear it.
struct Authority: Hashable {
  /// In lower case, an IPv6 address without brackets.
  let name: String
  let isAddress: Bool
  /// As written; `nil` where there is none.
  let port: String?

  init?(_ text: some StringProtocol) {
    let text = text.lowercased()
    let host: Substring
    let rest: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
    } else {
      let colon = text.lastIndex(of: ":") ?? text.endIndex
      (host, rest) = (text[..<colon], text[colon...])
    }
    guard !host.isEmpty, rest.isEmpty || rest.hasPrefix(":") else { return nil }
    name = String(host)
    isAddress = SocketAddress.Host(literal: name) != nil
    port = rest.count > 1 ? String(rest.dropFirst()) : nil
  }
}

/// Whether a page of another site had a browser send a request (RFC 6454; Fetch Metadata).
enum RequestOrigin {
  /// Whether the request does not come from a page of elsewhere. Programs send none of these fields. `Origin: null` is what a
  /// page has that does not say whence it comes.
  static func isOurs(_ head: RequestHead, host: Authority) -> Bool {
    let site = head.values(named: "sec-fetch-site")
    guard site.allSatisfy({ head.equals($0, "same-origin") || head.equals($0, "none") }) else { return false }
    let origins = head.values(named: "origin")
    guard origins.count <= 1 else { return false }
    return origins.allSatisfy {
      isSame(String(decoding: head.bytes[$0], as: UTF8.self).lowercased(), as: host)
    }
  }

  /// The scheme may be either: a proxy in front can speak TLS.
  private static func isSame(_ origin: String, as host: Authority) -> Bool {
    for (scheme, standard) in [("http://", "80"), ("https://", "443")] where origin.hasPrefix(scheme) {
      guard let authority = Authority(origin.dropFirst(scheme.count)) else { return false }
      return authority.name == host.name && (authority.port ?? standard) == (host.port ?? standard)
    }
    return false
  }
}
