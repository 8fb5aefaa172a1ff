import Configuration
import Testing

@Suite struct AddressTests {
  @Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
    // RFC 5952, sections 4 and 5.
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("1::", "1::"), ("fe80:0:0:0:0:0:0:1", "fe80::1"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
  ])
  func addressesAreWrittenInTheirOneForm(_ written: String, _ form: String) {
    #expect(IPAddress(parsing: Array(written.utf8))?.description == form)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "0x1.2.3.4", "1..2.3", ":", ":::", "1:2:3",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "::g", "1::2::3", "::1%eth0", "1.2.3.4::", "::1.2.3",
    "1:2:3:4:5:6:7:1.2.3.4", "٠.0.0.0",
  ])
  func whatIsNoAddressIsRefused(_ written: String) {
    #expect(IPAddress(parsing: Array(written.utf8)) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
    ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "203.0.113.9", false),
    ("::/0", "2001:db8::1", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
    ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
    ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("192.0.2.1", "192.0.2.1", true),
    ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1", "::ffff:192.0.2.1", true),
  ])
  func aBlockContainsTheAddressesOfItsPrefix(_ block: String, _ address: String, _ isInside: Bool) throws {
    let block = try #require(AddressBlock(parsing: block))
    let address = try #require(IPAddress(parsing: Array(address.utf8)))
    #expect(block.contains(address) == isInside)
  }

  @Test(arguments: ["10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "10.0.0.0/+8"])
  func whatIsNoBlockIsRefused(_ written: String) {
    #expect(AddressBlock(parsing: written) == nil)
  }

  @Test(arguments: [
    ("127.0.0.1", true), ("127.9.9.9", true), ("128.0.0.1", false), ("::1", true), ("::2", false),
    ("::", false),
    ("0.0.0.0", false), ("::ffff:127.0.0.1", true),
  ])
  func loopbackIsRecognised(_ address: String, _ isLoopback: Bool) {
    #expect(IPAddress(parsing: Array(address.utf8))?.isLoopback == isLoopback)
  }

  @Test(arguments: [
    ("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:65535", "[::1]:65535"), ("[::ffff:1.2.3.4]:80", "1.2.3.4:80"),
  ])
  func listenAddressesAreRead(_ written: String, _ form: String) {
    #expect(ListenAddress(parsing: written)?.description == form)
  }

  @Test(arguments: [
    "[127.0.0.1]:80", "::1:80", "[::1]", "127.0.0.1:", "127.0.0.1:080", "127.0.0.1:+80", ":80",
  ])
  func whatIsNoListenAddressIsRefused(_ written: String) {
    #expect(ListenAddress(parsing: written) == nil)
  }
}
