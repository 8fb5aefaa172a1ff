import Testing

@testable import RateLimiting

@Suite struct SourceConnectionsTests {
  @Test func eachSourceHasItsOwnCount() {
    let sources = SourceConnections()
    #expect(sources.enter(.v4(1), limit: 2))
    #expect(sources.enter(.v4(1), limit: 2))
    #expect(!sources.enter(.v4(1), limit: 2))
    #expect(sources.enter(.v4(2), limit: 2))
    sources.leave(.v4(1))
    sources.leave(.v4(1))
    #expect(sources.enter(.v4(1), limit: 2))
  }

  @Test func aSubscribersIPv6AddressesAreOneSource() {
    let sources = SourceConnections()
    #expect(sources.enter(.v6(high: 7, low: 1), limit: 1))
    #expect(!sources.enter(.v6(high: 7, low: 2), limit: 1))
    #expect(sources.enter(.v6(high: 8, low: 1), limit: 1))
    #expect(sources.enter(.v6(high: 0, low: 0xFFFF_0000_0001), limit: 1))
    #expect(!sources.enter(.v4(1), limit: 1), "an IPv4 address mapped into IPv6 is the IPv4 one")
  }

  @Test func sourcesWithoutConnectionsTakeNoMemory() {
    let sources = SourceConnections()
    for source in 0..<10_000 as Range<UInt32> { #expect(sources.enter(.v4(source), limit: 1)) }
    #expect(sources.count == 10_000)
    for source in 0..<10_000 as Range<UInt32> { sources.leave(.v4(source)) }
    #expect(sources.count == 0)
    sources.leave(.v4(1))
    #expect(sources.count == 0)
  }
}
