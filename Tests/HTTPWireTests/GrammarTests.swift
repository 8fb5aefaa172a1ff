import Primitives
import TestSupport
import Testing

@testable import HTTPWire

@Suite("Grammar")
struct GrammarTests {
  /// The sets as the RFCs list them.
  static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  static let pchar = alphanumeric + "-._~!$&'()*+,;=:@"

  @Test(
    "byte sets hold what the grammars list",
    arguments: [
      (ByteSet.token, alphanumeric + "!#$%&'*+-.^_`|~"),
      (.path, pchar), (.query, pchar + "/?"), (.unreserved, alphanumeric + "-._~"),
      (.ipv6, "0123456789abcdefABCDEF:."),
    ])
  func byteSets(_ set: ByteSet, listing: String) {
    let listed = Set(listing.utf8)
    for byte in UInt8.min...UInt8.max {
      #expect(set.contains(byte) == listed.contains(byte), "byte \(byte)")
    }
  }

  @Test("the word-wise search finds the first control byte wherever it stands")
  func firstControl() {
    for count in 0...24 {
      for position in 0..<count {
        for byte in UInt8.min...UInt8.max {
          for filler: UInt8 in [0x20, 0x7E, 0x80, 0xFF] {
            var bytes = [UInt8](repeating: filler, count: count)
            bytes[position] = byte
            let expected = byte < 0x20 || byte == 0x7F ? position : count
            let found = bytes.span.bytes.firstControl(from: 0, to: count)
            if found != expected { Issue.record("\(byte) at \(position) of \(count): \(found)") }
          }
        }
      }
    }
  }

  @Test("the word-wise search finds the first of any byte wherever it stands")
  func firstByte() {
    for wanted in UInt8.min...UInt8.max {
      // Neighbours in value, which a borrow could mark by mistake.
      for filler in [wanted &+ 1, wanted &- 1, wanted ^ 0x80] {
        for count in 1...18 {
          for position in 0..<count {
            var bytes = [UInt8](repeating: filler, count: count)
            let absent = bytes.span.bytes.first(wanted, from: 0, to: count)
            bytes[position] = wanted
            bytes[count - 1] = wanted
            let found = bytes.span.bytes.first(wanted, from: 0, to: count)
            // One `#expect` for each would take longer than all else here.
            if absent != count || found != position {
              Issue.record("\(wanted) at \(position) of \(count): \(found); absent: \(absent)")
            }
          }
        }
      }
    }
  }

  @Test(
    "names are known in any case, and by prefix",
    arguments: [
      ("Host", FieldName.host), ("hOsT", .host), ("Date", .other), ("TE", .other), ("Accept", .accept),
      ("Expect", .expect), ("Trailer", .other), ("Upgrade", .other), ("Forwarded", .other),
      ("X-Amz-Date", .amzDate), ("User-Agent", .userAgent), ("Connection", .connection),
      ("Keep-Alive", .other), ("TraceState", .tracestate), ("traceparent", .traceparent),
      ("Retry-After", .retryAfter), ("Content-Type", .contentType), ("Authorization", .authorization),
      ("Content-Length", .contentLength), ("X-Amzn-Trace-Id", .amzTraceId),
      ("Proxy-Connection", .other), ("X-Gatehouse-Actor", .gatehouseActor),
      ("Transfer-Encoding", .transferEncoding), ("Proxy-Authenticate", .other),
      ("Proxy-Authorization", .other), ("X-Amz-Content-SHA256", .amzContentSHA256),
      ("X-Amz-Security-Token", .amzSecurityToken), ("X-Amz-Target", .xAmzPrefix),
      ("X-Amzn-RequestId", .amznRequestId), ("X-Amzn-ErrorType", .amznErrorType),
      ("X-Amzn-Other", .xAmznPrefix), ("X-Forwarded-For", .xForwardedFor), ("X-Forwarded-Host", .other),
      ("X-Gatehouse-Request-Id", .other), ("amz-sdk-invocation-id", .amzSdkPrefix),
      ("X-Amz", .other), ("Hosts", .other), ("Hos", .other), ("X", .other), ("Content_Length", .other),
      ("X-Amz-Date2", .xAmzPrefix), ("Cookie", .other), ("amz-sdk", .other),
    ])
  func names(_ name: String, known: FieldName) throws {
    let bytes = Array(name.utf8)
    let range = 0..<bytes.count
    let recognised =
      FieldName(recognisingWhole: range, in: bytes.span.bytes)
      ?? FieldName(recognisingPrefixOf: range, in: bytes.span.bytes)
    #expect(recognised == known)
  }

  @Test("lookups find the first field, count them all and compare by bytes")
  func lookups() throws {
    let text = "GET / HTTP/1.1\r\nHost: a\r\nX-Amz-Date: 1\r\nx-amz-date: 2\r\nX-Custom: Yes\r\n\r\n"
    let head = try head(of: text)
    let date = try #require(head.first(.amzDate))
    #expect(head.equals(date, "1") && !head.equals(date, "2") && !head.equals(date, "11"))
    #expect(head.count(of: .amzDate) == 2)
    #expect(head.count(of: .expect) == 0 && head.first(.expect) == nil)
    let custom = try #require(head.first(named: "x-custom"))
    #expect(head.equals(custom, "Yes") && !head.equals(custom, "yes"))
    #expect(head[head.method].array == Array("GET".utf8))
  }
}
