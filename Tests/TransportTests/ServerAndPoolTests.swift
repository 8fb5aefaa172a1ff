import Foundation
import Glibc
import HTTPWire
import Primitives
import TestSupport
import Testing

@testable import Transport

private let poolLimits = UpstreamPool.Limits(
  connections: 2, connectTimeout: 5_000_000_000, idleTimeout: 60_000_000_000, response: HTTPLimits())

private func pool(to address: SocketAddress, on loop: EventLoop) -> UpstreamPool {
  UpstreamPool(
    target: PoolTarget(host: "127.0.0.1", port: address.port, tls: nil), limits: poolLimits,
    resolver: Resolver(), loop: loop)
}

private func soon(_ loop: EventLoop) -> Int64 { loop.clock.monotonic().nanoseconds + 10_000_000_000 }

/// Counted on one loop only.
private final class Progress: @unchecked Sendable {
  let pool: UpstreamPool
  var answered = 0
  var ended = 0

  init(_ pool: UpstreamPool) { self.pool = pool }
}

/// Touched on one loop only.
private final class Turns: @unchecked Sendable {
  var jobs = 0
  var ends: [Int] = []
}

@Suite struct ServerAndPoolTests {
  @Test func turnEndsAfterAllJobsAtHand() async throws {
    let harness = try LoopHarness()
    let seen = try await harness.run { loop in
      let turns = Turns()
      loop.onTurnEnd { turns.ends.append(turns.jobs) }
      for _ in 1...3 { loop.spawn { turns.jobs += 1 } }
      while turns.jobs < 3 { await Task.yield() }
      // The timer fires in a later turn.
      await loop.sleep(nanoseconds: 1)
      return turns.ends
    }
    #expect(seen.first == 3)
  }

  @Test func anExchangeBringsBackWhatTheServerAnswered() async throws {
    let body = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      let pool = pool(to: server.listener.address, on: loop)
      let answer = try await pool.exchange(request("POST", "/a", body: "hello"), deadline: soon(loop))
      #expect(answer.head.status == 200)
      return String(decoding: answer.bodyArray, as: UTF8.self)
    }
    #expect(body == "hello")
  }

  @Test func aConnectionIsUsedAgainAndNotOpenedTwice() async throws {
    let counts = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      let pool = pool(to: server.listener.address, on: loop)
      for _ in 0..<20 { _ = try await pool.exchange(request("GET", "/"), deadline: soon(loop)) }
      return (pool.idleCount, pool.inUseCount, loop.openSockets)
    }
    #expect(counts == (1, 0, 2), "one connection, seen from both ends")
  }

  @Test func moreRequestsThanConnectionsWaitTheirTurn() async throws {
    let answered = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      let progress = Progress(pool(to: server.listener.address, on: loop))
      for _ in 0..<30 {
        loop.spawn {
          let answer = try? await progress.pool.exchange(request("GET", "/"), deadline: soon(loop))
          if answer?.head.status == 200 { progress.answered += 1 }
          progress.ended += 1
        }
      }
      while progress.ended < 30 { await loop.sleep(nanoseconds: 2_000_000) }
      return progress.answered
    }
    #expect(answered == 30)
  }

  @Test func nobodyListeningMeansThatNothingWasSent() async throws {
    try await LoopHarness().run { loop in
      let address: SocketAddress
      do {
        let listener = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) { $0.discard() }
        address = listener.address
        listener.close()
      }
      let pool = pool(to: address, on: loop)
      do {
        _ = try await pool.exchange(request("GET", "/"), deadline: soon(loop))
        Issue.record("an exchange with a closed port succeeded")
      } catch ExchangeFailure.notSent(let reason) {
        #expect("\(reason)".contains("connect"))
      }
      #expect(pool.inUseCount == 0)
    }
  }

  @Test func aPortIsSharedByTheLoopsOfOneProcessOnly() async throws {
    try await LoopHarness().run { loop in
      let first = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) { $0.discard() }
      #expect(throws: TransportError.listening(on: "\(first.address)", errno: EADDRINUSE)) {
        try Listener(first.address, loop: loop) { $0.discard() }
      }
      let second = try Listener(first.address, joining: true, loop: loop) { $0.discard() }
      #expect(second.address == first.address)
      first.close()
      second.close()
      try Listener(first.address, loop: loop) { $0.discard() }.close()
    }
  }

  @Test func aServerThatClosesWithoutAnAnswerLosesTheRequest() async throws {
    try await LoopHarness().run { loop in
      let listener = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) { $0.discard() }
      let pool = pool(to: listener.address, on: loop)
      do {
        _ = try await pool.exchange(request("GET", "/"), deadline: soon(loop))
        Issue.record("an exchange without an answer succeeded")
      } catch ExchangeFailure.lost {
        #expect(pool.idleCount == 0)
      }
    }
  }

  @Test func aSilentServerIsGivenUpAtTheDeadline() async throws {
    try await LoopHarness().run { loop in
      var held: [ByteStream] = []
      let listener = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) { accepted in
        if let stream = try? ByteStream(accepted, loop: loop, tls: nil) { held.append(stream) }
      }
      let pool = pool(to: listener.address, on: loop)
      do {
        _ = try await pool.exchange(
          request("GET", "/"), deadline: loop.clock.monotonic().nanoseconds + 100_000_000)
        Issue.record("an exchange with a silent server succeeded")
      } catch ExchangeFailure.timedOut(let sent) {
        #expect(sent)
      }
      held.forEach { $0.close() }
    }
  }

  @Test func anIdleConnectionThatTheServerClosedIsNotUsed() async throws {
    try await LoopHarness().run { loop in
      let server = try EchoServer(loop, limits: ServerLimits(idle: 50_000_000))
      let pool = pool(to: server.listener.address, on: loop)
      _ = try await pool.exchange(request("GET", "/"), deadline: soon(loop))
      // The server's idle limit passes; both ends have then left the loop's list of sockets or been marked.
      while loop.openSockets > 1 { await loop.sleep(nanoseconds: 10_000_000) }
      await loop.sleep(nanoseconds: 10_000_000)
      let answer = try await pool.exchange(request("GET", "/again"), deadline: soon(loop))
      #expect(answer.head.status == 200)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    let text = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      var bytes = request("GET", "/1")
      bytes.append(request("GET", "/2").span)
      bytes.append(request("GET", "/3", fields: "Connection: close\r\n").span)
      return try await Self.raw(bytes, to: server.listener.address, on: loop)
    }
    let paths = text.split(separator: "\r\n").filter { $0.hasPrefix("x-path") }
    #expect(paths == ["x-path: /1", "x-path: /2", "x-path: /3"])
  }

  @Test func anUnreadableRequestIsAnsweredAndTheConnectionEnds() async throws {
    let text = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      return try await Self.raw(
        ByteBuffer(Array("GET / HTTP/1.1\r\nBad Header: x\r\n\r\nGET / HTTP/1.1\r\n".utf8)),
        to: server.listener.address,
        on: loop)
    }
    #expect(text.hasPrefix("HTTP/1.1 400 "))
    #expect(text.components(separatedBy: "HTTP/1.1").count == 2, "nothing after it is answered: \(text)")
  }

  @Test func aSlowHeadIsRefusedAndAnIdleConnectionIsClosedInSilence() async throws {
    let (slow, idle) = try await LoopHarness().run { loop in
      let server = try EchoServer(loop, limits: ServerLimits(header: 100_000_000, idle: 100_000_000))
      let slow = try await Self.raw(ByteBuffer(Array("GET / HT".utf8)), to: server.listener.address, on: loop)
      let idle = try await Self.raw(ByteBuffer(), to: server.listener.address, on: loop)
      return (slow, idle)
    }
    #expect(slow.hasPrefix("HTTP/1.1 408 "))
    #expect(idle == "")
  }

  @Test func drainEndsIdleConnectionsAtOnce() async throws {
    let text = try await LoopHarness().run { loop in
      let server = try EchoServer(loop)
      loop.spawn {
        while loop.openSockets < 2 { await loop.sleep(nanoseconds: 5_000_000) }
        await loop.sleep(nanoseconds: 20_000_000)
        server.drain.set()
        loop.interruptIdleSockets()
      }
      return try await Self.raw(request("GET", "/before"), to: server.listener.address, on: loop)
    }
    #expect(text.contains("x-path: /before"))
  }

  @Test func aJobFromAnotherThreadRunsOnTheLoop() async throws {
    let isOnLoop = try await LoopHarness().run { loop in
      await withCheckedContinuation { continuation in
        Task.detached { continuation.resume() }
      }
      return loop.isCurrent
    }
    #expect(isOnLoop)
  }

  /// Sends `bytes` and reads until the server ends the connection.
  private static func raw(_ bytes: borrowing ByteBuffer, to address: SocketAddress, on loop: EventLoop)
    async throws
    -> String
  {
    let stream = try await ByteStream.connect(to: address, tls: nil, loop: loop, deadline: soon(loop))
    defer { stream.close() }
    try await stream.write(bytes)
    var received: [UInt8] = []
    while true {
      guard let count = try stream.receive() else {
        try await stream.waitReadable()
        continue
      }
      received.append(contentsOf: loop.scratch[..<count])
      if count == 0 { return String(decoding: received, as: UTF8.self) }
    }
  }
}

@Suite struct SocketAddressTests {
  @Test(arguments: ["127.0.0.1:80", "0.0.0.0:0", "[::1]:8080", "[2001:db8::1]:65535", "192.168.1.255:1"])
  func readsAndWritesTheSameText(text: String) throws {
    #expect(try SocketAddress(parsing: text).description == text)
  }

  @Test(arguments: [
    "", "127.0.0.1", "localhost:80", "127.0.0.1:65536", "127.0.0.1:-1", "256.1.1.1:1", "[::1:80",
  ])
  func refusesWhatIsNoAddress(text: String) {
    #expect(throws: TransportError.invalidAddress(text)) { try SocketAddress(parsing: text) }
  }

  @Test(arguments: [
    ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("128.0.0.1:1", false), ("[::1]:1", true),
    ("[::ffff:127.0.0.1]:1", true), ("[::2]:1", false),
  ])
  func knowsLoopback(text: String, isLoopback: Bool) throws {
    #expect(try SocketAddress(parsing: text).isLoopback == isLoopback)
  }
}
