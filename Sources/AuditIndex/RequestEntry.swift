internal import AuditStore
internal import AuditTrail
internal import Primitives

/// Where the records of a request lie, relative to the beginning of its zone: 24 bytes of the zone's row.
struct RequestEntry: BitwiseCopyable {
  /// Of the first record: its line's place and length in bytes, its number, and milliseconds.
  var offset: UInt32
  var length: UInt32
  var sequence: Int32
  /// Rounded down; a time too far away is the nearest that 32 bits hold.
  var milliseconds: Int32
  /// Of its outcome, when that lies in the same segment; otherwise 0.
  var secondOffset: UInt32 = 0
  var secondLength: UInt32 = 0

  static let size = 24

  /// How far in bytes and numbers entries reach; a zone ends before.
  static let reach = Int(Int32.max)
}

/// What the entries of a zone are relative to.
struct ZoneOrigin: BitwiseCopyable, Equatable {
  /// Where the zone's first line begins.
  var segment: Int
  var offset: Int
  var sequence: Int
  /// Nanoseconds.
  var time: Int64

  /// `nil` when a record cannot lie there.
  func first(_ entry: RequestEntry) -> RecordPlace? { place(entry.offset, entry.length) }

  func second(_ entry: RequestEntry) -> RecordPlace? {
    entry.secondLength == 0 ? nil : place(entry.secondOffset, entry.secondLength)
  }

  func sequence(_ entry: RequestEntry) -> Int { sequence + Int(entry.sequence) }

  private func place(_ distance: UInt32, _ length: UInt32) -> RecordPlace? {
    let (offset, length) = (offset + Int(distance), Int(length))
    guard RecordPlace.canBe(offset: offset, length: length) else { return nil }
    return RecordPlace(segment: SegmentName(firstSequence: segment), offset: offset, length: length)
  }

  /// - Parameter moment: nanoseconds.
  func milliseconds(of moment: Int64) -> Int32 {
    let (distance, isTooFar) = moment.subtractingReportingOverflow(time)
    guard !isTooFar else { return moment < time ? .min : .max }
    return Int32(clamping: distance >= 0 ? distance / 1_000_000 : (distance - 999_999) / 1_000_000)
  }

  /// Whether the request may be of these times, from `since` up to and without `until`: nothing is said of what is less
  /// than a millisecond.
  func mayInclude(_ entry: RequestEntry, since: WallClockTime?, until: WallClockTime?) -> Bool {
    if let since, entry.milliseconds < milliseconds(of: since.nanoseconds), entry.milliseconds != .max {
      return false
    }
    if let until, entry.milliseconds > milliseconds(of: until.nanoseconds), entry.milliseconds != .min {
      return false
    }
    return true
  }
}
