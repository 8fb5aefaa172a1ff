internal import CLibevent
internal import Glibc

/// One question to the system's own resolver, which blocks for as long as its name servers let it.
enum NameLookup {
  /// Asks glibc, which knows `/etc/hosts`, `nsswitch.conf` and `resolv.conf` as every other program on the machine does,
  /// and looks whether they have changed each time. The addresses come in the order to try (RFC 6724).
  static func run(_ name: String) -> Result<[SocketAddress.Host], NameFailure> {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(name, nil, &hints, &list)
    let code = errno
    defer { if let list { freeaddrinfo(list) } }
    guard status == 0 else { return .failure(failure(status, code)) }
    var hosts: [SocketAddress.Host] = []
    var next = list
    while let entry = next, hosts.count < most {
      if let raw = entry.pointee.ai_addr, let host = SocketAddress(raw)?.host, !hosts.contains(host) {
        hosts.append(host)
      }
      next = entry.pointee.ai_next
    }
    return hosts.isEmpty ? .failure(.unknown("it has no IP address")) : .success(hosts)
  }

  /// More addresses than this are not tried.
  private static let most = 16
  /// EAI_NODATA, which glibc declares only under _GNU_SOURCE: the name is there, and has no address.
  private static let noData: Int32 = -5

  private static func failure(_ status: Int32, _ code: Int32) -> NameFailure {
    if status == EAI_SYSTEM { return .unavailable(String(cString: strerror(code))) }
    let reason = gai_strerror(status).map { String(cString: $0) } ?? "error \(status)"
    return status == EAI_NONAME || status == noData ? .unknown(reason) : .unavailable(reason)
  }

  /// The addresses that need no question: literals, and what RFC 6761 says of `localhost`.
  static func known(_ name: String) -> [SocketAddress.Host]? {
    if let literal = SocketAddress.Host(literal: name) { return [literal] }
    let isLocal = ["localhost", "localhost."].contains(name.lowercased())
    return isLocal ? [.v4(0x7F00_0001), .v6(0, 1, scope: 0)] : nil
  }
}
