import HTTPWire
import Primitives
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Transport

/// A name service that answers when it is told to, and counts who asks.
private final class HeldNames: Sendable {
  private let state = Mutex((asked: 0, isReleased: false))
  private let answer: Result<[SocketAddress.Host], NameFailure>

  init(_ answer: Result<[SocketAddress.Host], NameFailure>) { self.answer = answer }

  var asked: Int { state.withLock { $0.asked } }
  func release() { state.withLock { $0.isReleased = true } }

  func lookUp(_ name: String) -> Result<[SocketAddress.Host], NameFailure> {
    state.withLock { $0.asked += 1 }
    let pause = ThreadEvent()
    while !state.withLock({ $0.isReleased }) { _ = pause.wait(nanoseconds: 1_000_000) }
    return answer
  }
}

private let loopback = SocketAddress.Host.v4(0x7F00_0001)

/// Touched on one loop only.
private final class Tally: @unchecked Sendable { var ended = 0 }

@Suite struct ResolverTests {
  @Test(arguments: ["127.0.0.1", "::1", "localhost", "LocalHost."]) func noThreadIsNeeded(for name: String)
    async throws
  {
    let resolver = Resolver { _ in
      Issue.record("a question")
      return .failure(.unavailable("asked"))
    }
    let found = try await LoopHarness().run { loop in
      try await resolver.resolve(name, port: 1, on: loop, deadline: 0)
    }
    #expect(!found.isEmpty && found.allSatisfy { $0.isLoopback })
  }

  @Test func aLookupThatHangsEndsNothingButTheWaitForIt() async throws {
    let names = HeldNames(.success([loopback]))
    defer { names.release() }
    let resolver = Resolver(names.lookUp)
    try await LoopHarness().run { loop in
      await #expect(throws: TransportError.self) {
        let deadline = loop.clock.monotonic().nanoseconds + 30_000_000
        _ = try await resolver.resolve("a.example", port: 1, on: loop, deadline: deadline)
      }
      names.release()
      let found = try await resolver.resolve(
        "a.example", port: 7, on: loop, deadline: loop.clock.monotonic().nanoseconds + 10_000_000_000)
      #expect(found == [SocketAddress(host: loopback, port: 7)])
    }
    #expect(names.asked == 1, "the second one got what the first had asked")
  }

  @Test func waitersOfSeveralLoopsShareOneLookup() async throws {
    let names = HeldNames(.success([loopback]))
    let resolver = Resolver(names.lookUp)
    let harnesses = [try LoopHarness(), try LoopHarness()]
    let found = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<20 {
        group.addTask {
          try await harnesses[index % 2].run { loop in
            if index == 19 { names.release() }
            let deadline = loop.clock.monotonic().nanoseconds + 10_000_000_000
            return try await resolver.resolve("a.example", port: 1, on: loop, deadline: deadline).count
          }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(found == 20)
    #expect(names.asked == 1)
  }

  @Test func aPoolGetsItsPlacesBackFromANameThatIsNotFound() async throws {
    let names = HeldNames(.failure(.unavailable("no server")))
    defer { names.release() }
    let resolver = Resolver(names.lookUp)
    let tally = try await LoopHarness().run { loop in
      let pool = UpstreamPool(
        target: PoolTarget(host: "a.example", port: 1, tls: nil),
        limits: UpstreamPool.Limits(
          connections: 2, connectTimeout: 50_000_000, idleTimeout: 1_000_000_000, response: HTTPLimits()),
        resolver: resolver, loop: loop)
      loop.onTick { pool.sweep() }
      let (tally, holder) = (Tally(), PoolHolder(pool))
      for _ in 0..<10 {
        loop.spawn {
          let deadline = loop.clock.monotonic().nanoseconds + 100_000_000
          do throws(ExchangeFailure) {
            _ = try await holder.pool.exchange(request("GET", "/"), deadline: deadline)
            Issue.record("an answer from nowhere")
          } catch {
            switch error {
            case .notSent, .timedOut(sent: false): break
            default: Issue.record("\(error)")
            }
          }
          tally.ended += 1
        }
      }
      while tally.ended < 10 { await loop.sleep(nanoseconds: 1_000_000) }
      return (tally.ended, pool.inUseCount)
    }
    #expect(tally == (10, 0))
  }

  @Test func theAddressThatAnswersWins() async throws {
    let resolver = Resolver { _ in .success([.v6(0, 1, scope: 0), loopback]) }
    let status = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      let pool = UpstreamPool(
        target: PoolTarget(host: "a.example", port: server.listener.address.port, tls: nil),
        limits: UpstreamPool.Limits(
          connections: 1, connectTimeout: 5_000_000_000, idleTimeout: 1_000_000_000, response: HTTPLimits()),
        resolver: resolver, loop: loop)
      return try await pool.exchange(
        request("GET", "/"), deadline: loop.clock.monotonic().nanoseconds + 10_000_000_000
      ).head.status
    }
    #expect(status == 200)
  }

  @Test func theLastFailureNamesHostAndAddress() async throws {
    let resolver = Resolver { _ in .success([loopback]) }
    try await LoopHarness().run { loop in
      let listener = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) { $0.discard() }
      let address = listener.address
      listener.close()
      let pool = UpstreamPool(
        target: PoolTarget(host: "a.example", port: address.port, tls: nil),
        limits: UpstreamPool.Limits(
          connections: 1, connectTimeout: 5_000_000_000, idleTimeout: 1_000_000_000, response: HTTPLimits()),
        resolver: resolver, loop: loop)
      do throws(ExchangeFailure) {
        _ = try await pool.exchange(
          request("GET", "/"), deadline: loop.clock.monotonic().nanoseconds + 10_000_000_000)
      } catch .notSent(let reason) {
        #expect(
          "\(reason)" == "cannot connect to `a.example` at \(address): connect: Connection refused")
      }
    }
  }
}

/// Used on one loop only.
private final class PoolHolder: @unchecked Sendable {
  let pool: UpstreamPool
  init(_ pool: UpstreamPool) { self.pool = pool }
}
