internal import OpenSSLCrypto
internal import Primitives
internal import RedisWire
internal import SharedLimits
internal import Transport

/// Finds the server that counts, and makes a connection to it ready for use. That is only known to be so when the script has
/// run there once and written something: a server that loads, is a replica or has no memory left does not.
struct StoreConnector {
  let settings: StoreSettings
  let resolver: Resolver
  let loop: EventLoop

  /// For a connection, TLS included; nanoseconds.
  private static let connectTimeout: Int64 = 2_000_000_000
  private static let mostHops = 5

  /// - Parameter beat: the first sign of life, with the leases that must be renewed before anything else.
  /// - Returns: the connection, and how many gateways there are.
  func connect(_ beat: LimitCommand) async throws(StoreFailure) -> (link: StoreLink, gateways: Int) {
    var failures: [StoreFailure] = []
    for target in settings.targets {
      do throws(StoreFailure) {
        switch settings.topology {
        case .single, .cluster: return try await connect(to: target, beat)
        case .sentinel(let master): return try await connect(to: try await ask(target, for: master), beat)
        }
      } catch {
        failures.append(error)
      }
    }
    throw failures.count == 1 ? failures[0] : .several(failures)
  }

  private func connect(
    to first: PoolTarget, _ beat: LimitCommand
  ) async throws(StoreFailure) -> (link: StoreLink, gateways: Int) {
    var target = first
    for _ in 0..<Self.mostHops {
      let link = try await open(target)
      do throws(StoreFailure) {
        return (link, try await greet(link, beat))
      } catch {
        link.stream.close()
        guard settings.topology == .cluster, case .refused(let reason) = error, let other = reason.movedTo
        else { throw error }
        // Without a host it is the one that was asked.
        target = PoolTarget(
          host: other.host.isEmpty ? target.host : other.host, port: other.port, tls: target.tls)
      }
    }
    throw .sentOn
  }

  private func open(_ target: PoolTarget) async throws(StoreFailure) -> StoreLink {
    let deadline = loop.clock.monotonic().nanoseconds + Self.connectTimeout
    do throws(TransportError) {
      return StoreLink(try await ByteStream.open(target, by: resolver, on: loop, deadline: deadline))
    } catch {
      throw .unreachable(error)
    }
  }

  /// Signs in, loads the script, tells that the gateway lives.
  /// - Returns: how many gateways there are.
  private func greet(_ link: StoreLink, _ beat: LimitCommand) async throws(StoreFailure) -> Int {
    var out = ByteBuffer()
    var count = 2
    if settings.password != nil {
      out.append(authenticationOf: settings)
      count += 1
    }
    if settings.database > 0 {
      out.begin(redisCommand: 2)
      out.append(argument: "SELECT")
      out.append(argument: settings.database)
      count += 1
    }
    out.append(loadingOf: LimitScript.text)
    beat.append(to: &out, keys: settings.keys, script: .whole)
    let replies = try await link.ask(out, count: count, within: settings.timeout)
    for case .error(let error) in replies { throw .refused(error) }
    guard let digest = replies[count - 2].bytes, let gateways = replies[count - 1].integer else {
      throw .unexpected
    }
    link.script = ScriptCall(digest: digest)
    return Int(clamping: gateways)
  }

  /// Where a sentinel says that the server is.
  private func ask(_ sentinel: PoolTarget, for master: String) async throws(StoreFailure) -> PoolTarget {
    let link = try await open(sentinel)
    defer { link.stream.close() }
    let question = ["SENTINEL", "get-master-addr-by-name", master].map { Array($0.utf8) }
    var out = ByteBuffer()
    out.append(redisCommand: question)
    var replies = try await link.ask(out, count: 1, within: settings.timeout)
    if case .error(let error) = replies[0], error.code == "NOAUTH", settings.password != nil {
      // Sentinels mostly have no password; those that have are taken to have the server's.
      out.removeAll()
      out.append(authenticationOf: settings)
      out.append(redisCommand: question)
      replies = try await link.ask(out, count: 2, within: settings.timeout)
      if case .error(let error) = replies.removeFirst() { throw .refused(error) }
    }
    if case .error(let error) = replies[0] { throw .refused(error) }
    guard let place = replies[0].elements, place.count == 2, let host = place[0].bytes,
      let written = place[1].bytes, let port = UInt16(String(decoding: written, as: UTF8.self))
    else { throw .unknownMaster(master) }
    return PoolTarget(host: String(decoding: host, as: UTF8.self), port: port, tls: sentinel.tls)
  }
}

extension ByteBuffer {
  mutating func append(authenticationOf settings: StoreSettings) {
    guard let password = settings.password else { return }
    begin(redisCommand: settings.user == nil ? 2 : 3)
    append(argument: "AUTH")
    if let user = settings.user { append(argument: Array(user.utf8)) }
    password.withBytes { bytes in append(argument: Array(bytes)) }
  }

  mutating func append(loadingOf script: [UInt8]) {
    begin(redisCommand: 3)
    append(argument: "SCRIPT")
    append(argument: "LOAD")
    append(argument: script)
  }
}
