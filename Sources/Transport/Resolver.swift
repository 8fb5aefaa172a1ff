internal import CLibevent
internal import Glibc
internal import Primitives

/// Names to addresses with libevent's evdns, without blocking the loop.
///
/// evdns does not tell an answer's time to live, so a name is asked again after `freshness`, and the old answer serves on
/// while a new one cannot be had.
package final class Resolver {
  private let loop: EventLoop
  private let dns: OpaquePointer
  private var answers: [String: (addresses: [SocketAddress], askedAt: Int64)] = [:]
  /// Short enough to follow a service that moves its name, long enough to ask seldom.
  private static let freshness: Int64 = 30_000_000_000

  package init(loop: EventLoop) throws(TransportError) {
    self.loop = loop
    // A machine without name servers can still use literals and /etc/hosts.
    let flags = Int32(EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE)
    guard let dns = evdns_base_new(loop.base, flags) ?? evdns_base_new(loop.base, 0) else {
      throw .system(call: "evdns_base_new", errno: errno)
    }
    self.dns = dns
    // Two tries of a second: a caller is waiting.
    evdns_base_set_option(dns, "timeout:", "1")
    evdns_base_set_option(dns, "attempts:", "2")
    evdns_base_load_hosts(dns, "/etc/hosts")
  }

  deinit { evdns_base_free(dns, 0) }

  /// The addresses of `host` (a literal or a name), in the order to try.
  package func resolve(_ host: String, port: UInt16) async throws(TransportError) -> [SocketAddress] {
    if let literal = SocketAddress.Host(literal: host) { return [SocketAddress(host: literal, port: port)] }
    let now = loop.clock.monotonic().nanoseconds
    let known = answers[host]
    if let known, now - known.askedAt < Self.freshness { return known.addresses }
    do throws(TransportError) {
      let addresses = try await ask(host, port: port)
      answers[host] = (addresses, now)
      return addresses
    } catch {
      guard let known else { throw error }
      // Not asked again at once: while names cannot be looked up, every new connection would wait for it.
      answers[host] = (known.addresses, now)
      return known.addresses
    }
  }

  private func ask(_ host: String, port: UInt16) async throws(TransportError) -> [SocketAddress] {
    let answer = await withUnsafeContinuation { (continuation: UnsafeContinuation<Answer, Never>) in
      let context = Unmanaged.passRetained(Question(continuation, port: port)).toOpaque()
      var hints = addrinfo()
      hints.ai_family = AF_UNSPEC
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
      hints.ai_flags = Int32(EVUTIL_AI_ADDRCONFIG)
      evdns_getaddrinfo(dns, host, nil, &hints, Question.answered, context)
    }
    guard answer.status == 0, !answer.addresses.isEmpty else {
      let reason = evutil_gai_strerror(answer.status).map { String(cString: $0) } ?? "no address"
      throw .resolution(host: host, reason: reason)
    }
    return answer.addresses
  }
}

private struct Answer: Sendable {
  let status: Int32
  let addresses: [SocketAddress]
}

private final class Question {
  let continuation: UnsafeContinuation<Answer, Never>
  let port: UInt16

  init(_ continuation: UnsafeContinuation<Answer, Never>, port: UInt16) {
    self.continuation = continuation
    self.port = port
  }

  static let answered: evdns_getaddrinfo_cb = { status, list, context in
    guard let context else { return }
    let question = Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next {
      if let raw = entry.pointee.ai_addr, let address = SocketAddress(raw, port: question.port) {
        addresses.append(address)
      }
      next = entry.pointee.ai_next
    }
    if let list { evutil_freeaddrinfo(list) }
    question.continuation.resume(returning: Answer(status: status, addresses: addresses))
  }
}
