internal import Primitives

/// When to look after changes that come one after another: once nothing has come for a while, so that half of a copy is not
/// taken for the whole; and in any case after some time, since what never rests is to be followed, too.
struct Settling: Sendable {
  private var first: MonotonicInstant?
  private var last: MonotonicInstant?

  /// Nanoseconds.
  static let quiet: Int64 = 300_000_000
  static let longest: Int64 = 3_000_000_000

  mutating func changed(now: MonotonicInstant) {
    first = first ?? now
    last = now
  }

  /// To be asked now and then; it is due once.
  mutating func isDue(now: MonotonicInstant) -> Bool {
    guard let first, let last else { return false }
    guard now.nanoseconds(since: last) >= Self.quiet || now.nanoseconds(since: first) >= Self.longest else {
      return false
    }
    (self.first, self.last) = (nil, nil)
    return true
  }
}
