import Configuration
import HTTPWire
import Primitives
import Testing
import Transport

@testable import Gateway

@Suite struct SourceAddressTests {
  @Test func withoutTrustedProxiesThePeerCounts() throws {
    #expect(try source(["203.0.113.9"], peer: "192.0.2.1:1234", trusted: []) == "192.0.2.1")
  }

  @Test func whatAnUntrustedPeerClaimsIsIgnored() throws {
    #expect(try source(["203.0.113.9"], peer: "192.0.2.1:1234") == "192.0.2.1")
  }

  @Test func aTrustedProxyIsBelieved() throws {
    #expect(try source(["203.0.113.9"]) == "203.0.113.9")
    #expect(try source(["2001:DB8:0::1"]) == "2001:db8::1")
  }

  @Test func entriesLeftOfTheLastUntrustedOneCouldBeMadeUp() throws {
    #expect(try source(["198.51.100.1, 127.0.0.1, 203.0.113.9"]) == "203.0.113.9")
    #expect(try source(["198.51.100.1, 203.0.113.9, 10.0.0.2,10.0.0.3"]) == "203.0.113.9")
  }

  @Test func severalLinesAreOneList() throws {
    #expect(try source(["198.51.100.1", "203.0.113.9"]) == "203.0.113.9")
    #expect(try source(["198.51.100.1, 203.0.113.9", "10.0.0.2"]) == "203.0.113.9")
  }

  @Test func aMalformedEntryEndsWhatIsBelieved() throws {
    #expect(try source(["203.0.113.9, unknown"]) == "10.0.0.1")
    #expect(try source(["203.0.113.9, _hidden, 10.0.0.2"]) == "10.0.0.2")
    #expect(try source(["203.0.113.9:443"]) == "10.0.0.1")
    #expect(try source(["203.0.113.999"]) == "10.0.0.1")
    #expect(try source(["nonsense, 203.0.113.9"]) == "203.0.113.9")
  }

  @Test func whereAllAreProxiesTheFarthestCounts() throws {
    #expect(try source(["10.0.0.3, 10.0.0.2"]) == "10.0.0.3")
  }

  @Test func withoutTheFieldOrARequestThePeerCounts() throws {
    #expect(try source([]) == "10.0.0.1")
    #expect(try source([""]) == "10.0.0.1")
    let peer = try SocketAddress(parsing: "10.0.0.1:1234")
    #expect(SourceAddress.of(nil, peer: peer.hostText, trusted: try blocks(["10.0.0.0/8"])) == "10.0.0.1")
  }
}

private func blocks(_ texts: [String]) throws -> [AddressBlock] {
  try texts.map { try #require(AddressBlock(parsing: $0)) }
}

private func source(
  _ lines: [String], peer: String = "10.0.0.1:1234", trusted: [String] = ["10.0.0.0/8"]
) throws -> Text {
  let fields = lines.map { "X-Forwarded-For: \($0)\r\n" }.joined()
  let bytes = Array("GET / HTTP/1.1\r\nHost: x\r\n\(fields)\r\n".utf8)
  var parser = RequestParser(limits: HTTPLimits())
  guard case .request(let request) = try parser.next(adding: bytes.span.bytes) else {
    throw HTTPViolation.truncated
  }
  return SourceAddress.of(
    request.head, peer: try SocketAddress(parsing: peer).hostText, trusted: try blocks(trusted))
}
