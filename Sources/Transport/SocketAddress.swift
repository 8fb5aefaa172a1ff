// Its headers declare `sockaddr` too, and which of the two modules the compiler finds it in first is not fixed.
internal import CLibevent
internal import Glibc
package import Primitives

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Sendable, Hashable {
  package enum Host: Sendable, Hashable {
    case v4(UInt32)
    /// In network order, and the scope id.
    case v6(UInt64, UInt64, scope: UInt32)
  }

  package let host: Host
  package let port: UInt16

  package init(host: Host, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:8080` or `[::1]:8080`; names are not looked up.
  package init(parsing text: String) throws(TransportError) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw .invalidAddress(text)
    }
    var name = text[..<colon]
    if name.first == "[", name.last == "]" { name = name.dropFirst().dropLast() }
    guard let host = Host(literal: String(name)) else { throw .invalidAddress(text) }
    self.init(host: host, port: port)
  }

  package var isLoopback: Bool {
    switch host {
    case .v4(let address): address >> 24 == 127
    case .v6(let high, let low, _): high == 0 && (low == 1 || low >> 24 == 0xFFFF7F)
    }
  }

  /// IPv4 where it is IPv4 mapped into IPv6, as on a socket for both that somebody else has opened.
  var unmapped: SocketAddress {
    guard case .v6(0, let low, _) = host, low >> 32 == 0xFFFF else { return self }
    return SocketAddress(host: .v4(UInt32(truncatingIfNeeded: low)), port: port)
  }

  /// The address without the port, as text.
  package var hostText: Text { Text(host.description) }
}

extension SocketAddress.Host {
  /// Reads an IPv4 or IPv6 literal.
  package init?(literal text: String) {
    var v4 = in_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self = .v4(UInt32(bigEndian: v4.s_addr))
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    self.init(v6, scope: 0)
  }

  fileprivate init(_ address: in6_addr, scope: UInt32) {
    let words = withUnsafeBytes(of: address) {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self = .v6(UInt64(bigEndian: words.0), UInt64(bigEndian: words.1), scope: scope)
  }
}

extension SocketAddress.Host: CustomStringConvertible {
  /// As RFC 5952 has it; an IPv4 address mapped into IPv6 is written as IPv4.
  package var description: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    switch self {
    case .v4(let address):
      var raw = in_addr(s_addr: address.bigEndian)
      inet_ntop(AF_INET, &raw, &buffer, socklen_t(buffer.count))
    case .v6(0, let low, _) where low >> 32 == 0xFFFF:
      var raw = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
      inet_ntop(AF_INET, &raw, &buffer, socklen_t(buffer.count))
    case .v6(0, let low, _) where low >> 32 == 0 && low > 0xFFFF:
      // glibc writes dots here as well; RFC 5952 section 5 has them where the prefix alone says that IPv4 is inside.
      return "::\(String(low >> 16, radix: 16)):\(String(low & 0xFFFF, radix: 16))"
    case .v6(let high, let low, _):
      var raw = (high.bigEndian, low.bigEndian)
      inet_ntop(AF_INET6, &raw, &buffer, socklen_t(buffer.count))
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension SocketAddress: CustomStringConvertible {
  package var description: String {
    switch host {
    case .v4: "\(host):\(port)"
    case .v6: "[\(host)]:\(port)"
    }
  }
}

extension SocketAddress {
  var family: Int32 {
    switch host {
    case .v4: AF_INET
    case .v6: AF_INET6
    }
  }

  func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    switch host {
    case .v4(let address):
      var raw = sockaddr_in()
      raw.sin_family = sa_family_t(AF_INET)
      raw.sin_port = port.bigEndian
      raw.sin_addr.s_addr = address.bigEndian
      return withUnsafePointer(to: &raw) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    case .v6(let high, let low, let scope):
      var raw = sockaddr_in6()
      raw.sin6_family = sa_family_t(AF_INET6)
      raw.sin6_port = port.bigEndian
      raw.sin6_scope_id = scope
      withUnsafeMutableBytes(of: &raw.sin6_addr) {
        $0.storeBytes(of: high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      return withUnsafePointer(to: &raw) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
  }

  /// Reads what the kernel or the resolver wrote; `nil` for a family other than IP.
  init?(_ raw: UnsafePointer<sockaddr>, port override: UInt16? = nil) {
    switch Int32(raw.pointee.sa_family) {
    case AF_INET:
      self = raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        SocketAddress(
          host: .v4(UInt32(bigEndian: $0.pointee.sin_addr.s_addr)),
          port: override ?? UInt16(bigEndian: $0.pointee.sin_port))
      }
    case AF_INET6:
      self = raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
        SocketAddress(
          host: Host($0.pointee.sin6_addr, scope: $0.pointee.sin6_scope_id),
          port: override ?? UInt16(bigEndian: $0.pointee.sin6_port))
      }
    default: return nil
    }
  }

  init?(_ storage: inout sockaddr_storage) {
    let parsed = withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { SocketAddress($0) }
    }
    guard let parsed else { return nil }
    self = parsed
  }
}
