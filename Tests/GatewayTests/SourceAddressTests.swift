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
    #expect(try source(["203.0.113.999"]) == "10.0.0.1")
    #expect(try source(["nonsense, 203.0.113.9"]) == "203.0.113.9")
  }

  /// What proxies and load balancers write, and what it says.
  @Test(arguments: [
    ("203.0.113.7:51234", "203.0.113.7"), ("203.0.113.7:0", "203.0.113.7"), ("\t203.0.113.7 ", "203.0.113.7"),
    ("\"203.0.113.7\"", "203.0.113.7"), ("\"203.0.113.7:51234\"", "203.0.113.7"),
    ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:DB8:0:0::1]:4711", "2001:db8::1"),
    ("\"[2001:db8::1]:4711\"", "2001:db8::1"), ("[2001:db8::1]:_port", "2001:db8::1"),
    ("::ffff:203.0.113.7", "203.0.113.7"), ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
    ("::ffff:cb00:7107", "203.0.113.7"), ("fe80::1%eth0", "fe80::1"), ("[fe80::1%25eth0]:80", "fe80::1"),
    ("198.51.100.1, 203.0.113.7:51234 , 10.0.0.9:80", "203.0.113.7"), ("203.0.113.7, ,", "203.0.113.7"),
  ])
  func whatProxiesWriteIsRead(_ value: String, _ address: String) throws {
    #expect(try source([value]).string == address)
  }

  @Test(arguments: [
    "203.0.113.7:", "203.0.113.7:port", "203.0.113.7:123456", "203.0.113.7:80:80", "[203.0.113.7]", "[::1",
    "::1]",
    "[::1]80", "[::1]:", "[::1]:8 0", "203.0.113.7%eth0", "\"203.0.113.7", "fe80::1%", "unknown", "_hidden",
    "-",
    "203.0.113.7/32", "203.0.113.07", "for=203.0.113.7", "203.0.113.7 10.0.0.1",
  ])
  func whatNamesNoAddressEndsBelief(_ value: String) throws {
    #expect(try source([value]) == "10.0.0.1")
    #expect(try source(["203.0.113.9, \(value), 10.0.0.2"]) == "10.0.0.2")
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

/// RFC 7239, where there is no X-Forwarded-For.
@Suite struct ForwardedFieldTests {
  @Test(arguments: [
    (["for=203.0.113.7"], "203.0.113.7"), (["For=\"203.0.113.7:4711\""], "203.0.113.7"),
    (["for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"), (["for=203.0.113.7:4711"], "203.0.113.7"),
    (["by=203.0.113.1;proto=https ; FOR=203.0.113.7;host=\"a,b;for=1.2.3.4\""], "203.0.113.7"),
    (["for=198.51.100.1, for=203.0.113.7;by=10.0.0.2, for=10.0.0.2"], "203.0.113.7"),
    (["for=198.51.100.1", "for=203.0.113.7", "for=10.0.0.2"], "203.0.113.7"),
    (["for=\"a\\\"\", for=203.0.113.7"], "203.0.113.7"),
  ])
  func theLastUntrustedOneCounts(_ lines: [String], _ address: String) throws {
    #expect(try source([], forwarded: lines).string == address)
  }

  @Test(arguments: [
    "for=unknown", "for=_hidden", "for=\"_hidden:80\"", "proto=https", "for", "for=", "for=\"\"", "nonsense",
    "for=203.0.113.7;for=203.0.113.8", "for=203.0.113.7;nonsense", "for=\"203.0.113.7", "for=\"203.0.113.7\\",
    // A caller's open quotation mark swallows what the proxy added.
    "for=\", for=203.0.113.7", "for=203.0.113.7, for=unknown",
  ])
  func whatNamesNoAddressEndsBelief(_ line: String) throws {
    #expect(try source([], forwarded: [line]) == "10.0.0.1")
    #expect(try source([], forwarded: [line, "for=10.0.0.2"]) == "10.0.0.2")
  }

  @Test func itIsNotReadBesideXForwardedForNorFromAnUntrustedPeer() throws {
    #expect(try source(["203.0.113.7"], forwarded: ["for=198.51.100.1"]) == "203.0.113.7")
    #expect(try source(["unknown"], forwarded: ["for=198.51.100.1"]) == "10.0.0.1")
    #expect(try source([""], forwarded: ["for=198.51.100.1"]) == "10.0.0.1")
    #expect(try source([], peer: "192.0.2.1:1234", forwarded: ["for=198.51.100.1"]) == "192.0.2.1")
  }
}

private func blocks(_ texts: [String]) throws -> [AddressBlock] {
  try texts.map { try #require(AddressBlock(parsing: $0)) }
}

private func source(
  _ lines: [String], peer: String = "10.0.0.1:1234", trusted: [String] = ["10.0.0.0/8"],
  forwarded: [String] = []
) throws -> Text {
  let fields =
    (lines.map { "X-Forwarded-For: \($0)\r\n" } + forwarded.map { "Forwarded: \($0)\r\n" }).joined()
  let bytes = Array("GET / HTTP/1.1\r\nHost: x\r\n\(fields)\r\n".utf8)
  var parser = RequestParser(limits: HTTPLimits())
  guard case .request(let request) = try parser.next(adding: bytes.span.bytes) else {
    throw HTTPViolation.truncated
  }
  return SourceAddress.of(
    request.head, peer: try SocketAddress(parsing: peer).hostText, trusted: try blocks(trusted))
}
