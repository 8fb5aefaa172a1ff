import Foundation
import Logging
import Primitives
import StrictJSON
import TestSupport
import Testing

@testable import Gateway

@Suite struct LogTests {
  @Test func everyMessageIsOneLineOfJSON() throws {
    let lines = try written { sink in
      var logger = Logger(label: "test") { _ in
        JSONLogHandler(sink: sink, clock: StoppedClock(at: moment), level: .info)
      }
      logger[metadataKey: "worker"] = "1"
      logger.debug("below the level")
      logger.info("first\n\"quoted\" \u{1}", metadata: ["path": "/a\\b", "worker": "2"])
      logger.error("second")
    }
    try #require(lines.count == 2, "\(lines)")
    let first = try JSONDocument(parsing: Array(lines[0].utf8))
    func member(_ name: Text) -> String? {
      first.member(name, of: first.root).flatMap { first.text($0)?.string }
    }
    #expect(member("time") == "2026-11-23T13:00:00.123Z")
    #expect(member("level") == "info")
    #expect(member("message") == "first\n\"quoted\" \u{1}")
    #expect(member("path") == "/a\\b")
    #expect(member("worker") == "2")
    let second = try JSONDocument(parsing: Array(lines[1].utf8))
    #expect(second.member("worker", of: second.root).flatMap { second.text($0)?.string } == "1")
  }

  @Test func closingWritesWhatIsLeftInOrder() throws {
    let expected = (0..<1_000).map { "{\"n\":\($0)}" }
    let lines = try written { sink in
      for line in expected { sink.write(Array("\(line)\n".utf8)) }
    }
    #expect(lines == expected)
  }

  /// What a sink that was then closed wrote to a pipe.
  private func written(_ body: (LogSink) throws -> Void) throws -> [String] {
    let pipe = Pipe()
    let sink = try LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
    try body(sink)
    sink.close()
    try pipe.fileHandleForWriting.close()
    let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
    #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

/// 2026-11-23T13:00:00.123Z
private let moment = WallClockTime(nanoseconds: 1_795_438_800_123_000_000)
