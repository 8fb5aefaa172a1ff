internal import Primitives

/// Reads times as records have them, `2026-11-23T13:00:00.123Z`. Most records are of the same second as the one before,
/// whose date is not computed again.
struct ScannedClock {
  /// The 19 characters up to the second that were read last, as three words that overlap.
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt64 = 0
  /// `nil` before the first.
  private var seconds: Int64?

  /// The characters of a time and its closing quote.
  static let length = 25

  /// - Parameter cursor: behind the opening quote.
  mutating func read(_ cursor: borrowing LineCursor) -> WallClockTime? {
    // The last of these, eight bytes from the full stop on, is `.123Z"` and two more, which every record has.
    guard let first = cursor.peek(), let second = cursor.peek(at: 8), let third = cursor.peek(at: 11),
      let rest = cursor.peek(at: 19)
    else { return nil }
    let seconds: Int64
    if let known = self.seconds, first == self.first, second == self.second, third == self.third {
      seconds = known
    } else {
      guard let read = Self.seconds(cursor) else { return nil }
      (self.first, self.second, self.third, self.seconds) = (first, second, third, read)
      seconds = read
    }
    guard UInt8(truncatingIfNeeded: rest) == UInt8(ascii: "."),
      UInt16(truncatingIfNeeded: rest &>> 32) == UInt16(UInt8(ascii: "Z")) | UInt16(UInt8(ascii: "\"")) << 8
    else { return nil }
    var milliseconds: Int64 = 0
    for place: UInt64 in 1...3 {
      let digit = UInt8(truncatingIfNeeded: rest &>> (8 &* place)) &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      milliseconds = milliseconds &* 10 &+ Int64(digit)
    }
    return WallClockTime(nanoseconds: (seconds &* 1000 &+ milliseconds) &* 1_000_000)
  }

  /// `2026-11-23T13:00:00`
  private static func seconds(_ cursor: borrowing LineCursor) -> Int64? {
    let start = cursor.position
    for (offset, byte) in zip([4, 7, 10, 13, 16], "--T::".utf8) where cursor.byte(at: start + offset) != byte
    {
      return nil
    }
    guard let century = digits(cursor, at: start), let year = digits(cursor, at: start + 2),
      let month = digits(cursor, at: start + 5), let day = digits(cursor, at: start + 8),
      let hour = digits(cursor, at: start + 11), let minute = digits(cursor, at: start + 14),
      let second = digits(cursor, at: start + 17),
      let date = CivilDate(
        year: 100 * century + year, month: month, day: day, hour: hour, minute: minute, second: second)
    else { return nil }
    return date.time.seconds
  }

  /// Two of them.
  private static func digits(_ cursor: borrowing LineCursor, at offset: Int) -> Int? {
    let tens = cursor.byte(at: offset) &- UInt8(ascii: "0")
    let ones = cursor.byte(at: offset + 1) &- UInt8(ascii: "0")
    return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
  }
}
