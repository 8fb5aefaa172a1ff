package import Primitives

/// A time as commands take it: RFC 3339, a date (its beginning in UTC), or how long ago (`15m`, `24h`, `7d`).
package enum TimeExpression: Sendable, Hashable {
  case at(WallClockTime)
  case ago(nanoseconds: Int64)

  /// `nil` when it is neither.
  package init?(_ text: String) {
    if let time = WallClockTime(rfc3339: text) {
      self = .at(time)
      return
    }
    if text.utf8.count == 10, let time = WallClockTime(rfc3339: text + "T00:00:00Z") {
      self = .at(time)
      return
    }
    guard let unit = text.utf8.last, let seconds = Self.seconds(of: unit) else { return nil }
    let digits = text.utf8.dropLast()
    // Nine digits of days are still within 64 bits of nanoseconds only up to 106 751 days.
    guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int64(String(decoding: Array(digits), as: UTF8.self))
    else { return nil }
    let (total, overflows) = count.multipliedReportingOverflow(by: seconds * 1_000_000_000)
    guard !overflows else { return nil }
    self = .ago(nanoseconds: total)
  }

  package func resolved(at now: WallClockTime) -> WallClockTime {
    switch self {
    case .at(let time): time
    case .ago(let nanoseconds): now.advanced(byNanoseconds: -nanoseconds)
    }
  }

  private static func seconds(of unit: UInt8) -> Int64? {
    switch unit {
    case UInt8(ascii: "s"): 1
    case UInt8(ascii: "m"): 60
    case UInt8(ascii: "h"): 3600
    case UInt8(ascii: "d"): 86_400
    default: nil
    }
  }
}
