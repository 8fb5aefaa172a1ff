import HTTPWire
import Primitives
import TestSupport

@testable import Transport

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
    case .tooMuchContent: Reply(status: 503, closes: true)
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
