/// Durations and sizes as configuration files write them.
extension Duration {
  /// Reads `250ms`, `10s`, `5m`, `24h` or `7d`: a whole number and a unit.
  package init?(written text: String) {
    guard let (number, unit) = splitUnit(text) else { return nil }
    let milliseconds: Int64
    switch unit {
    case "ms": milliseconds = 1
    case "s": milliseconds = 1000
    case "m": milliseconds = 60_000
    case "h": milliseconds = 3_600_000
    case "d": milliseconds = 86_400_000
    default: return nil
    }
    let (total, overflow) = number.multipliedReportingOverflow(by: milliseconds)
    // Nanoseconds of it must fit an Int64: 292 years.
    guard !overflow, total <= Int64.max / 1_000_000 else { return nil }
    self = .milliseconds(total)
  }

  /// Whole nanoseconds; durations from configuration always fit.
  package var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }

  /// In the largest unit that keeps it whole: `90s`, `5m`.
  package var written: String {
    let milliseconds = nanoseconds / 1_000_000
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] as [(Int64, String)]
    where milliseconds > 0 && milliseconds % size == 0 {
      return "\(milliseconds / size)\(unit)"
    }
    return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
  }
}

/// A size in bytes that is written with a unit: `16KiB`.
struct ByteCount: Sendable {
  let bytes: Int

  private static let units: [(name: String, shift: Int)] = [
    ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0),
  ]

  init(_ bytes: Int) { self.bytes = bytes }
  static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count << 10) }
  static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count << 20) }

  /// Reads `16KiB`, `128MiB`, `1GiB`, `512B`.
  init?(written text: String) {
    guard let (number, unit) = splitUnit(text),
      let shift = Self.units.first(where: { $0.name == unit })?.shift,
      number <= Int64.max >> Int64(shift)
    else { return nil }
    bytes = Int(number) << shift
  }

  var written: String {
    for (name, shift) in Self.units where bytes > 0 && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(name)"
    }
    return "\(bytes)B"
  }
}

/// The digits and the letters of `250ms`.
private func splitUnit(_ text: String) -> (number: Int64, unit: Substring)? {
  let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
  guard !digits.isEmpty, let number = Int64(Substring(digits)) else { return nil }
  return (number, text[digits.endIndex...])
}
