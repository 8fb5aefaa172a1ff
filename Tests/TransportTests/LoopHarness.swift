import Foundation
import HTTPWire
import Primitives
import Testing

@testable import Transport

struct RealClock: TimeSource {
  func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds))
  }
  func wallClock() -> WallClockTime {
    WallClockTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
  }
}

/// A loop on a thread of its own, ended with the harness.
final class LoopHarness: Sendable {
  let loop: EventLoop

  init() throws {
    let loop = try EventLoop(clock: RealClock())
    self.loop = loop
    Thread.detachNewThread { loop.run() }
  }

  deinit {
    let loop = loop
    loop.spawn { loop.stop() }
  }

  /// Runs `body` on the loop and gives back what it returned or threw.
  func run<Value: Sendable>(_ body: @Sendable @escaping (EventLoop) async throws -> Value) async throws
    -> Value
  {
    let loop = loop
    return try await withCheckedThrowingContinuation { continuation in
      loop.spawn {
        do {
          continuation.resume(returning: try await body(loop))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}

/// Answers with the body it got, and the path in a field.
final class Echo: HTTPHandler {
  func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply {
    var lines = connection.loop.takeBuffer()
    lines.append(field: "x-path", request.head[request.head.path])
    return Reply(status: 200, fieldLines: lines, bytes: request.head.bytes, body: request.body)
  }

  func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    switch fault {
    case .violation: Reply(status: 400, closes: true)
    case .tooSlow: Reply(status: 408, closes: true)
    }
  }
}

/// An echo server on a port that the kernel chose. Lives on its loop.
final class EchoServer: @unchecked Sendable {
  let listener: Listener
  let drain: DrainFlag

  init(_ loop: EventLoop, limits: ServerLimits = ServerLimits()) throws {
    let drain = DrainFlag()
    self.drain = drain
    let server = HTTPServer(handler: Echo(), limits: limits, drain: drain, loop: loop)
    listener = try Listener(try SocketAddress(parsing: "127.0.0.1:0"), loop: loop) {
      server.accept($0, tls: nil)
    }
  }
}

func request(_ method: String, _ path: String, body: String = "", fields: String = "") -> ByteBuffer {
  var bytes = ByteBuffer()
  bytes.append(
    string:
      "\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  )
  return bytes
}
