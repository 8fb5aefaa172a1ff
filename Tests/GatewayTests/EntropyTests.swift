import Testing

@testable import Gateway

@Suite struct EntropyTests {
  @Test func stockIsRefilledAndGivesNothingTwice() {
    let entropy = StockedEntropy()
    let numbers = (0..<1000).map { _ in entropy.next() }
    #expect(Set(numbers).count == 1000)
    #expect(!numbers.contains(0))
    // Each bit is set about half the time; 350 of 1000 is nine standard deviations away.
    for bit in 0..<64 {
      #expect((350...650).contains(numbers.count { $0 >> UInt64(bit) & 1 == 1 }))
    }
  }
}
