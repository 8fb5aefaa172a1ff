internal import Glibc

/// The datagram socket on which a service manager listens.
package final class ServiceNotifier: Sendable {
  private let descriptor: Int32
  /// `sockaddr_un` as the kernel takes it.
  private let address: [UInt8]

  /// - Parameter path: of a file, or, behind `@`, in the abstract name space.
  package init(socket path: String) throws(ServiceFault) {
    guard let address = Self.address(path) else {
      throw .variable("NOTIFY_SOCKET", path, accepted: "an absolute path, or @ and a name, of a UNIX socket")
    }
    self.address = address
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Self.fault("socket") }
    // A manager that hangs may cost a moment, and not more.
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// Sends `message`; a sign of life only if that is possible at once.
  package func tell(_ message: ServiceMessage) throws(ServiceFault) {
    let flags = Int32(MSG_NOSIGNAL) | (message == .alive ? Int32(MSG_DONTWAIT) : 0)
    let text = Array(message.text.utf8)
    while true {
      let sent = address.withUnsafeBytes { raw in
        raw.withMemoryRebound(to: sockaddr.self) {
          sendto(descriptor, text, text.count, flags, $0.baseAddress, socklen_t(address.count))
        }
      }
      if sent >= 0 { return }
      guard errno == EINTR else { throw Self.fault("sendto") }
    }
  }

  private static func fault(_ call: String) -> ServiceFault {
    let code = errno
    return .system(call: call, errno: code, reason: String(cString: strerror(code)))
  }

  /// Longest `sun_path`; a file's ends with a NUL.
  private static let longestPath = 108

  static func address(_ path: String) -> [UInt8]? {
    var name = Array(path.utf8)
    guard name.count >= 2, !name.contains(0) else { return nil }
    switch name[0] {
    case UInt8(ascii: "@"): name[0] = 0
    case UInt8(ascii: "/"): name.append(0)
    default: return nil
    }
    guard name.count <= longestPath else { return nil }
    return withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) } + name
  }
}
