import Testing

@testable import AuditIndex

@Suite struct ZoneTests {
  @Test func placesOfAZoneAreReadAsTheyWereWritten() {
    let zone = 3
    let all = Array((zone << Zone.shift)..<((zone + 1) << Zone.shift))
    #expect(all.count == 4096)
    #expect(Zone.decode([UInt8](Zone.encode(all)), of: zone) == all)
    #expect(Zone.encode([12_289, 12_289, 16_383]) == .init([0, 1, 15, 255]))
  }

  @Test func whatWasAddedLaterIsPutInOrderAndCountedOnce() {
    let places = [UInt8](Zone.encode([5, 9, 4000]) + Zone.encode([7, 9]) + Zone.encode([4001]))
    #expect(Zone.decode(places, of: 0) == [5, 7, 9, 4000, 4001])
  }
}
