internal import HTTPWire
package import OpenSSLCrypto
internal import Primitives

/// Who may ask the admin listener, as the configuration in force says.
package struct AdminAccess: Sendable {
  /// Asked for on everything but the two health paths; `nil`: not at all.
  package var token: Secret?
  /// Names that Host may bear besides `localhost` and addresses, in lower case.
  package var hosts: Set<String>

  package init(token: Secret?, hosts: Set<String>) {
    self.token = token
    self.hosts = hosts
  }
}

extension AdminAccess {
  /// A page in a browser can make a name of its own resolve to this address (DNS rebinding); it cannot choose the Host.
  func admits(_ host: Authority) -> Bool {
    host.name == "localhost" || host.isAddress || hosts.contains(host.name)
  }

  func authorizes(_ head: RequestHead) -> Bool {
    guard let token else { return true }
    guard head.count(of: .authorization) == 1, let range = head.first(.authorization) else { return false }
    let value = head.bytes[range]
    let scheme = Array("bearer ".utf8)
    guard value.count > scheme.count,
      zip(value, scheme).allSatisfy({ $0 == $1 || ($0 | 0x20) == $1 })
    else { return false }
    return Secret.constantTimeEqual(token, Array(value.dropFirst(scheme.count)))
  }
}
