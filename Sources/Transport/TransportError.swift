internal import Glibc

/// What can go wrong between the gateway and a socket.
package enum TransportError: Error, Sendable, Hashable {
  /// The deadline of the wait passed.
  case timedOut
  /// The wait was ended by drain.
  case interrupted
  /// The wait has lasted so long that it should go on without a task.
  case parkable
  /// The peer closed or reset the connection.
  case closed
  case system(call: StaticStringBox, errno: Int32)
  /// An address that cannot be listened on; `place` is where the configuration has it.
  case listening(on: String, errno: Int32, place: String? = nil)
  /// A descriptor that came with the process and cannot be listened on.
  case inheriting(Int32, String)
  /// One that can, and that nobody asked for.
  case unexpected(socket: String, SocketAddress, accepted: String)
  case tls(String)
  case resolution(host: String, reason: String)
  /// No connection came about with this address of a host; `nil`: the address is all that is known of it.
  indirect case connecting(host: String?, SocketAddress, TransportError)
  /// What each of several addresses came to.
  case several([TransportError])
  case invalidAddress(String)
  /// The connection did not begin with what a proxy has to say of it.
  case proxyHeader(ProxyHeader.Malformed)
  case tooFewDescriptors(Int, needed: Int)
}

/// A call's name; `StaticString` itself is not `Hashable`.
package struct StaticStringBox: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  package let description: String
  package init(stringLiteral value: String) { description = value }
}

extension TransportError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .timedOut: "timed out"
    case .interrupted: "interrupted by shutdown"
    case .parkable: "idle"
    case .closed: "connection closed by the peer"
    case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
    case .listening(let address, let code, let place):
      "cannot listen on \(address): \(String(cString: strerror(code)))" + (place.map { " (`\($0)`)" } ?? "")
    case .inheriting(let descriptor, let reason): "descriptor \(descriptor) of LISTEN_FDS: \(reason)"
    case .unexpected(let name, let address, let accepted):
      "the socket `\(name)` of LISTEN_FDS on \(address) is no listener's: expected \(accepted)"
    case .tls(let reason): "TLS: \(reason)"
    case .resolution(let host, let reason): "cannot resolve `\(host)`: \(reason)"
    case .connecting(let host, let address, let error):
      "cannot connect to \(host.map { "`\($0)` at " } ?? "")\(address): "
        + (error == .timedOut ? "no answer in time" : "\(error)")
    case .several(let errors):
      errors.prefix(3).map(\.description).joined(separator: "; ")
        + (errors.count > 3 ? "; and \(errors.count - 3) more" : "")
    case .proxyHeader(let fault): "no PROXY header: \(fault)"
    case .invalidAddress(let text): "`\(text)` is not an address: expected HOST:PORT"
    case .tooFewDescriptors(let count, let needed):
      "the limit of open files is \(count); at least \(needed) are needed (`ulimit -Hn`, LimitNOFILE of a unit)"
    }
  }
}
