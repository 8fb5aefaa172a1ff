internal import Configuration
internal import Gateway
internal import HTTPWire
internal import Primitives

private let proxy: Text = "10.0.0.1"
private let trusted = ["10.0.0.0/8", "2001:db8:aa::/48"].compactMap { AddressBlock(parsing: $0) }

/// Field lines of a request that a trusted proxy passes on, one a line.
func checkForwarded(_ bytes: [UInt8]) throws(Disagreement) {
  let lines: [UInt8] = bytes.split(separator: 0x0A).flatMap { $0 + [0x0D, 0x0A] }
  guard let head = requestHead(lines) else { return }
  let source = SourceAddress.of(head, peer: proxy, trusted: trusted)
  guard let address = IPAddress(parsing: source.utf8), address.description == source.string else {
    throw Disagreement(description: "\(source) is no address in its one form")
  }
  try expect(SourceAddress.of(head, peer: proxy, trusted: []) == proxy, "believed without trusted proxies")
  let stranger: Text = "192.0.2.1"
  try expect(
    SourceAddress.of(head, peer: stranger, trusted: trusted) == stranger, "a stranger's word was believed")

  // What a caller puts in front of the proxies' own entries changes nothing, unless all who are named are trusted.
  let name = head.first(named: "x-forwarded-for") != nil ? "X-Forwarded-For: " : "Forwarded: for="
  if name.hasPrefix("F"), head.first(named: "forwarded") == nil { return }
  let claimed: Text = "198.51.100.77"
  guard let longer = requestHead(Array("\(name)\(claimed)\r\n".utf8) + lines) else { return }
  let after = SourceAddress.of(longer, peer: proxy, trusted: trusted)
  let mayBeClaimed = trusted.contains { $0.contains(address) }
  try expect(
    after == source || mayBeClaimed && after == claimed, "with an entry in front, \(source) becomes \(after)")
}

private func requestHead(_ lines: [UInt8]) -> RequestHead? {
  var parser = RequestParser(limits: HTTPLimits())
  let text = Array("GET / HTTP/1.1\r\nHost: x\r\n".utf8) + lines + [0x0D, 0x0A]
  guard let event = try? parser.next(adding: text.span.bytes), case .request(let message) = event else {
    return nil
  }
  return message.head
}
