import Primitives
import Testing

@Suite("A date in a request")
struct CivilDateTests {
  @Test("beyond what a time can hold is refused", arguments: ["1677", "2262", "9999", "0000"])
  func yearsOutOfRange(year: String) {
    #expect(WallClockTime(amzDate: Array("\(year)0101T000000Z".utf8)) == nil)
    #expect(WallClockTime(rfc3339: "\(year)-01-01T00:00:00Z") == nil)
  }

  @Test("at the edge of it is read", arguments: ["16780101T000000Z", "22611231T235959Z"])
  func yearsInRange(date: String) throws {
    let time = try #require(WallClockTime(amzDate: Array(date.utf8)))
    #expect(String(decoding: time.amzDate, as: UTF8.self) == date)
  }
}
