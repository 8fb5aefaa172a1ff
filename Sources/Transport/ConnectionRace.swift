/// Opens a connection to whichever of several addresses answers first (RFC 8305): the next one is tried when one has
/// failed or has not answered for a while. TLS is part of the answer.
///
/// `@unchecked Sendable`: it is touched only by its loop's thread, which also runs its tasks.
final class ConnectionRace: @unchecked Sendable {
  private let target: PoolTarget
  private let addresses: [SocketAddress]
  private let loop: EventLoop
  private let deadline: Int64
  private var started = 0
  private var failures: [TransportError] = []
  private var outcome: Result<ByteStream, TransportError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  /// RFC 8305's "connection attempt delay", nanoseconds.
  private static let delay: Int64 = 250_000_000

  /// - Parameters:
  ///   - addresses: in the order to try, at least one.
  ///   - deadline: monotonic nanoseconds, for all attempts together.
  init(to target: PoolTarget, at addresses: [SocketAddress], on loop: EventLoop, deadline: Int64) {
    self.target = target
    self.addresses = addresses
    self.loop = loop
    self.deadline = deadline
  }

  func run() async throws(TransportError) -> ByteStream {
    guard addresses.count > 1 else { return try await connect(to: addresses[0]) }
    await withUnsafeContinuation { continuation in
      waiter = continuation
      startNext()
    }
    guard let outcome else { throw .closed }
    return try outcome.get()
  }

  private func startNext() {
    guard outcome == nil, started < addresses.count else { return }
    let address = addresses[started]
    started += 1
    let turn = started
    loop.spawn { [self] in
      do throws(TransportError) {
        won(try await connect(to: address))
      } catch {
        lost(error)
      }
    }
    guard started < addresses.count else { return }
    loop.call(after: Self.delay) { [self] in
      if started == turn { startNext() }
    }
  }

  private func won(_ stream: ByteStream) {
    guard outcome == nil else { return stream.close() }
    end(.success(stream))
  }

  private func lost(_ error: TransportError) {
    failures.append(error)
    guard outcome == nil else { return }
    if failures.count == addresses.count { return end(.failure(.several(failures))) }
    // Those that are under way go on.
    startNext()
  }

  private func end(_ result: Result<ByteStream, TransportError>) {
    outcome = result
    waiter?.resume()
    waiter = nil
  }

  private func connect(to address: SocketAddress) async throws(TransportError) -> ByteStream {
    let isAddress = SocketAddress.Host(literal: target.host) != nil
    let tls = target.tls.map { (context: $0, host: target.host, isAddress: isAddress) }
    do throws(TransportError) {
      return try await ByteStream.connect(to: address, tls: tls, loop: loop, deadline: deadline)
    } catch {
      throw .connecting(host: isAddress ? nil : target.host, address, error)
    }
  }
}

extension ByteStream {
  /// A connection to an address of `target` that answers.
  /// - Parameter deadline: monotonic nanoseconds, for all of it: name, connection and TLS.
  package static func open(
    _ target: PoolTarget, by resolver: Resolver, on loop: EventLoop, deadline: Int64
  ) async throws(TransportError) -> ByteStream {
    let addresses = try await resolver.resolve(target.host, port: target.port, on: loop, deadline: deadline)
    return try await ConnectionRace(to: target, at: addresses, on: loop, deadline: deadline).run()
  }
}
