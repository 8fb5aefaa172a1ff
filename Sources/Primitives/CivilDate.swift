/// The fields of a UTC date and time, and the formats the gateway reads and writes.
package struct CivilDate: Hashable, Sendable {
  package var year: Int
  package var month: Int
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var nanosecond: Int

  /// The proleptic Gregorian date of `time` (Howard Hinnant's `civil_from_days`).
  package init(_ time: WallClockTime) {
    let total = time.seconds
    let days = Int(total >= 0 ? total / 86_400 : (total - 86_399) / 86_400)
    let inDay = Int(total) - days * 86_400
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = inDay / 3600
    minute = inDay / 60 % 60
    second = inDay % 60
    nanosecond = Int(time.nanoseconds - total * 1_000_000_000)
  }

  /// `nil` when the fields name no real UTC time (a 30 February, an hour 24, a leap second), or one
  /// that `WallClockTime` cannot hold.
  package init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
    nanosecond: Int = 0
  ) {
    guard (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...59).contains(second), Self.years.contains(year)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.nanosecond = nanosecond
    // A day that the month does not have comes back as another date.
    guard CivilDate(time).day == day else { return nil }
  }

  /// The whole years that 64 bits of nanoseconds around 1970 cover. Dates come from requests, so a
  /// year beyond them has to be refused and not to overflow.
  private static let years = 1678...2261

  package var time: WallClockTime {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    return WallClockTime(nanoseconds: Int64(seconds) * 1_000_000_000 + Int64(nanosecond))
  }
}

extension WallClockTime {
  /// `2026-11-23T13:00:00.123Z` (RFC 3339), milliseconds.
  package func appendRFC3339(to out: inout [UInt8]) {
    let date = CivilDate(self)
    out.append(decimal: date.year, width: 4)
    out.append("-")
    out.append(decimal: date.month, width: 2)
    out.append("-")
    out.append(decimal: date.day, width: 2)
    out.append("T")
    out.append(decimal: date.hour, width: 2)
    out.append(":")
    out.append(decimal: date.minute, width: 2)
    out.append(":")
    out.append(decimal: date.second, width: 2)
    out.append(".")
    out.append(decimal: date.nanosecond / 1_000_000, width: 3)
    out.append("Z")
  }

  package var rfc3339: String {
    var out: [UInt8] = []
    appendRFC3339(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// `20261123T130000Z`, the form of X-Amz-Date; its first eight characters are the scope's date.
  package var amzDate: [UInt8] {
    let date = CivilDate(self)
    var out: [UInt8] = []
    out.reserveCapacity(16)
    out.append(decimal: date.year, width: 4)
    out.append(decimal: date.month, width: 2)
    out.append(decimal: date.day, width: 2)
    out.append("T")
    out.append(decimal: date.hour, width: 2)
    out.append(decimal: date.minute, width: 2)
    out.append(decimal: date.second, width: 2)
    out.append("Z")
    return out
  }

  /// Reads exactly `YYYYMMDDTHHMMSSZ`.
  package init?(amzDate bytes: [UInt8]) { self.init(amzDate: bytes.span) }

  package init?(amzDate text: Span<UInt8>) {
    guard text.count == 16, text[8] == UInt8(ascii: "T"), text[15] == UInt8(ascii: "Z"),
      let date = CivilDate(
        digits: text, year: 0, month: 4, day: 6, hour: 9, minute: 11, second: 13)
    else { return nil }
    self = date.time
  }

  /// `Mon, 23 Nov 2026 13:00:00 GMT` (IMF-fixdate, RFC 9110 section 5.6.7).
  package func appendHTTPDate(to out: inout [UInt8]) {
    let date = CivilDate(self)
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
    let weekday = Int(((days + 4) % 7 + 7) % 7)
    out.append(string: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][weekday])
    out.append(", ")
    out.append(decimal: date.day, width: 2)
    out.append(" ")
    out.append(
      string: [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
      ][date.month - 1])
    out.append(" ")
    out.append(decimal: date.year, width: 4)
    out.append(" ")
    out.append(decimal: date.hour, width: 2)
    out.append(":")
    out.append(decimal: date.minute, width: 2)
    out.append(":")
    out.append(decimal: date.second, width: 2)
    out.append(" GMT")
  }

  /// Reads an RFC 3339 date-time: `T` and `Z` in either case, a fraction, a numeric offset.
  package init?(rfc3339 string: String) {
    let text = Array(string.utf8)
    guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      text[10] | 0x20 == UInt8(ascii: "t"), text[13] == UInt8(ascii: ":"),
      text[16] == UInt8(ascii: ":"),
      var date = CivilDate(
        digits: text.span, year: 0, month: 5, day: 8, hour: 11, minute: 14, second: 17)
    else { return nil }
    var index = 19
    if text[index] == UInt8(ascii: ".") {
      index += 1
      var scale = 100_000_000
      let start = index
      while index < text.count, let digit = CivilDate.digit(text[index]) {
        date.nanosecond += digit * scale
        scale /= 10
        index += 1
      }
      guard index > start, index < text.count else { return nil }
    }
    let zone = text[index...]
    if zone.count == 1, zone.first.map({ $0 | 0x20 }) == UInt8(ascii: "z") {
      self = date.time
      return
    }
    guard zone.count == 6, zone[index + 3] == UInt8(ascii: ":"),
      zone[index] == UInt8(ascii: "+") || zone[index] == UInt8(ascii: "-"),
      let hours = CivilDate.number(text.span, at: index + 1, digits: 2),
      let minutes = CivilDate.number(text.span, at: index + 4, digits: 2), hours < 24, minutes < 60
    else { return nil }
    let offset = Int64(hours * 3600 + minutes * 60) * 1_000_000_000
    self = date.time.advanced(
      byNanoseconds: zone[index] == UInt8(ascii: "+") ? -offset : offset)
  }
}

extension CivilDate {
  fileprivate static func digit(_ byte: UInt8) -> Int? {
    (0x30...0x39).contains(byte) ? Int(byte - 0x30) : nil
  }

  fileprivate static func number(_ text: Span<UInt8>, at start: Int, digits: Int) -> Int? {
    var value = 0
    for index in start..<start + digits {
      guard let digit = digit(text[index]) else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Reads the six fields at fixed positions of `text`.
  fileprivate init?(
    digits text: Span<UInt8>, year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
  ) {
    guard let years = Self.number(text, at: year, digits: 4),
      let months = Self.number(text, at: month, digits: 2),
      let days = Self.number(text, at: day, digits: 2),
      let hours = Self.number(text, at: hour, digits: 2),
      let minutes = Self.number(text, at: minute, digits: 2),
      let seconds = Self.number(text, at: second, digits: 2)
    else { return nil }
    self.init(
      year: years, month: months, day: days, hour: hours, minute: minutes, second: seconds)
  }
}
