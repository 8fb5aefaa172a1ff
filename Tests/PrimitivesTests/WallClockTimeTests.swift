import Foundation
import Primitives
import Testing

@Suite struct WallClockTimeTests {
  /// Computed with Python's datetime, which counts days in the proleptic Gregorian calendar too: the edges of leap
  /// years (1900 and 2100 are none, 2000 is one), of 1970 and of 32 bits.
  static let table: [(Int64, String, String, String)] = [
    (0, "1970-01-01T00:00:00", "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
    (-1, "1969-12-31T23:59:59", "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
    (-2_203_891_201, "1900-02-28T23:59:59", "19000228T235959Z", "Wed, 28 Feb 1900 23:59:59 GMT"),
    (-2_203_891_200, "1900-03-01T00:00:00", "19000301T000000Z", "Thu, 01 Mar 1900 00:00:00 GMT"),
    (-2_077_704_000, "1904-02-29T12:00:00", "19040229T120000Z", "Mon, 29 Feb 1904 12:00:00 GMT"),
    (951_782_399, "2000-02-28T23:59:59", "20000228T235959Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
    (951_782_400, "2000-02-29T00:00:00", "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
    (951_868_800, "2000-03-01T00:00:00", "20000301T000000Z", "Wed, 01 Mar 2000 00:00:00 GMT"),
    (946_684_799, "1999-12-31T23:59:59", "19991231T235959Z", "Fri, 31 Dec 1999 23:59:59 GMT"),
    (1_440_938_160, "2015-08-30T12:36:00", "20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"),
    (1_709_251_199, "2024-02-29T23:59:59", "20240229T235959Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
    (1_735_689_599, "2024-12-31T23:59:59", "20241231T235959Z", "Tue, 31 Dec 2024 23:59:59 GMT"),
    (1_740_787_200, "2025-03-01T00:00:00", "20250301T000000Z", "Sat, 01 Mar 2025 00:00:00 GMT"),
    (1_795_438_800, "2026-11-23T13:00:00", "20261123T130000Z", "Mon, 23 Nov 2026 13:00:00 GMT"),
    (2_147_483_647, "2038-01-19T03:14:07", "20380119T031407Z", "Tue, 19 Jan 2038 03:14:07 GMT"),
    (2_147_483_648, "2038-01-19T03:14:08", "20380119T031408Z", "Tue, 19 Jan 2038 03:14:08 GMT"),
    (4_107_542_399, "2100-02-28T23:59:59", "21000228T235959Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
    (4_107_542_400, "2100-03-01T00:00:00", "21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
    (9_214_646_399, "2261-12-31T23:59:59", "22611231T235959Z", "Tue, 31 Dec 2261 23:59:59 GMT"),
    (-9_214_560_000, "1678-01-01T00:00:00", "16780101T000000Z", "Sat, 01 Jan 1678 00:00:00 GMT"),
    (-6_857_200_372, "1752-09-14T06:07:08", "17520914T060708Z", "Thu, 14 Sep 1752 06:07:08 GMT"),
  ]

  @Test(arguments: table)
  func isWrittenInEveryFormat(_ seconds: Int64, _ rfc3339: String, _ amz: String, _ http: String) {
    let time = WallClockTime(seconds: seconds)
    #expect(time.rfc3339 == rfc3339 + ".000Z")
    #expect(String(decoding: time.amzDate, as: UTF8.self) == amz)
    var out = Array("Date: ".utf8)
    time.appendHTTPDate(to: &out)
    #expect(String(decoding: out, as: UTF8.self) == "Date: " + http)
  }

  @Test(arguments: table)
  func isReadInEveryFormat(_ seconds: Int64, _ rfc3339: String, _ amz: String, _ http: String) {
    let time = WallClockTime(seconds: seconds)
    #expect(WallClockTime(rfc3339: rfc3339 + "Z") == time)
    #expect(WallClockTime(rfc3339: rfc3339.lowercased() + "z") == time)
    #expect(WallClockTime(rfc3339: rfc3339 + ".000000000+00:00") == time)
    #expect(WallClockTime(amzDate: Array(amz.utf8)) == time)
  }

  /// RFC 3339 section 5.8.
  @Test func theExamplesOfTheRFCAreRead() {
    #expect(
      WallClockTime(rfc3339: "1985-04-12T23:20:50.52Z") == WallClockTime(nanoseconds: 482_196_050_520_000_000)
    )
    #expect(
      WallClockTime(rfc3339: "1996-12-19T16:39:57-08:00") == WallClockTime(rfc3339: "1996-12-20T00:39:57Z"))
    #expect(
      WallClockTime(rfc3339: "1937-01-01T12:00:27.87+00:20")
        == WallClockTime(rfc3339: "1937-01-01T11:40:27.87Z"))
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T13:00:00", "2026-11-23 13:00:00Z", "2026-11-23T13:00Z",
    "2026-11-23T13:00:00.Z",
    "2026-11-23T13:00:00.5", "2026-11-23T13:00:00+0100", "2026-11-23T13:00:00+24:00",
    "2026-11-23T13:00:00+01:60",
    "2026-11-23T13:00:00ZZ", "2026-11-23T24:00:00Z", "2026-11-23T13:60:00Z", "1990-12-31T23:59:60Z",
    "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z",
    "2026-01-00T00:00:00Z", "1900-02-29T00:00:00Z", "+026-11-23T13:00:00Z", "2026-11-23T1３:00:00Z",
    "2026/11/23T13:00:00Z", "2026-11-23T13:00:00,5Z", "2026-11-23T13:00:00 Z", " 2026-11-23T13:00:00Z",
  ])
  func whatIsNoTimeIsRefused(_ text: String) {
    #expect(WallClockTime(rfc3339: text) == nil)
  }

  @Test(arguments: [
    "", "20261123", "20261123T130000", "20261123T130000z", "20261123t130000Z", "2026-1123T130000Z",
    "20261123T130000ZZ", "20260229T000000Z", "20261123T240000Z", "20261123T130060Z", "2026112３T13000Z",
    "+0261123T130000Z", "20261123T13:00:00Z", "2026112 T130000Z",
  ])
  func whatIsNoAmzDateIsRefused(_ text: String) {
    #expect(WallClockTime(amzDate: Array(text.utf8)) == nil)
  }

  @Test func fractionsCountFromTheSecondBelow() {
    #expect(WallClockTime(nanoseconds: -1).seconds == -1)
    #expect(WallClockTime(nanoseconds: -1_000_000_000).seconds == -1)
    #expect(WallClockTime(nanoseconds: 999_999_999).seconds == 0)
    #expect(WallClockTime(nanoseconds: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
    #expect(WallClockTime(nanoseconds: 1_999_999).rfc3339 == "1970-01-01T00:00:00.001Z")
    #expect(WallClockTime(rfc3339: "1969-12-31T23:59:59.999999999Z") == WallClockTime(nanoseconds: -1))
    #expect(WallClockTime(rfc3339: "1970-01-01T00:00:00.0000000019Z") == WallClockTime(nanoseconds: 1))
  }

  @Test func calendarFieldsAreThoseOfTheCLibrary() {
    var state: UInt64 = 11
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let seconds = Int64(state >> 30) % 9_214_560_000 * (state & (1 << 29) == 0 ? 1 : -1)
      var raw = time_t(seconds)
      var fields = tm()
      gmtime_r(&raw, &fields)
      let date = CivilDate(WallClockTime(seconds: seconds))
      let agrees =
        date.year == Int(fields.tm_year) + 1900 && date.month == Int(fields.tm_mon) + 1
        && date.day == Int(fields.tm_mday) && date.hour == Int(fields.tm_hour)
        && date.minute == Int(fields.tm_min) && date.second == Int(fields.tm_sec)
      if !agrees { Issue.record("\(seconds) seconds: \(date)") }
      if date.time != WallClockTime(seconds: seconds) { Issue.record("\(seconds) seconds do not come back") }
    }
  }

  @Test func differencesAndOrderAreInNanoseconds() {
    let early = WallClockTime(seconds: -1)
    let late = early.advanced(byNanoseconds: 1_500_000_000)
    #expect(late.nanoseconds(since: early) == 1_500_000_000)
    #expect(early < late)
    #expect(late == WallClockTime(nanoseconds: 500_000_000))
    let start = MonotonicInstant(nanoseconds: 5)
    #expect(start.advanced(byNanoseconds: 7).nanoseconds(since: start) == 7)
    #expect(start < start.advanced(byNanoseconds: 1))
  }
}
