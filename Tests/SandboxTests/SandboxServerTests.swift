import Foundation
import Synchronization
import Testing

import HTTPWire
import OpenSSLCrypto
import Primitives
@testable import Sandbox
import SigV4
import TestSupport
import Transport

@Suite struct SandboxServerTests {
  /// Two requests at once on one connection, as they stand on the wire.
  @Test func aConnectionIsServedInOrder() throws {
    let running = try RunningSandbox()
    defer { running.stop() }
    let requests = try ["CreateAppInstanceUser", "DescribeAppInstanceUser"].map(SignedRequests.text)
    let answers = try running.exchange(requests.joined(), until: "LastUpdatedTimestamp")
    #expect(answers.hasPrefix("HTTP/1.1 201 Created\r\n"))
    #expect(answers.contains("HTTP/1.1 200 OK\r\n"))
    #expect(answers.contains(#""AppInstanceUserArn":"\#(appArn)/user/crm-alice""#))
  }

  @Test func whatIsNoHTTPIsAnsweredAsAnAWSErrorAndEndsTheConnection() throws {
    let running = try RunningSandbox()
    defer { running.stop() }
    let answer = try running.exchange("GET  / HTTP/1.1\r\n\r\n", until: "}")
    #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    #expect(answer.contains("x-amzn-errortype: BadRequestException\r\n"))
    #expect(answer.contains("connection: close\r\n"))
  }
}

/// A sandbox on loopback, on a thread of its own.
private final class RunningSandbox: Sendable {
  private let loop: EventLoop
  private let port: UInt16
  private let ended = DispatchSemaphore(value: 0)

  init() throws {
    let clock = StoppedClock(at: noon)
    let loop = try EventLoop(clock: clock)
    let bound = DispatchSemaphore(value: 0)
    let ended = ended
    let box = Shared()
    Thread {
      let handler = SandboxHandler(
        service: SandboxService(region: "us-east-1"), region: "us-east-1",
        key: VerificationKey(id: "AKIDEXAMPLE", secret: Secret("secret".utf8)), clock: clock,
        entropy: SeededEntropy(seed: 3))
      let loopback = try? SocketAddress(parsing: "127.0.0.1:0")
      let server = loopback.flatMap { try? SandboxServer(handler, on: $0, loop: loop) }
      box.port.withLock { $0 = server?.address.port ?? 0 }
      bound.signal()
      server?.run()
      ended.signal()
    }.start()
    bound.wait()
    self.loop = loop
    self.port = box.port.withLock { $0 }
    try #require(self.port != 0)
  }

  private final class Shared: Sendable {
    let port = Mutex<UInt16>(0)
  }

  func stop() {
    loop.spawn { [loop] in loop.stop() }
    ended.wait()
  }

  /// Sends `bytes` and reads until `mark` has come or the connection ends.
  func exchange(_ bytes: String, until mark: String) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
    let out = Array(bytes.utf8)
    try #require(send(descriptor, out, out.count, 0) == out.count)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: received, as: UTF8.self).contains(mark) {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      received += buffer[..<count]
    }
    return String(decoding: received, as: UTF8.self)
  }
}
