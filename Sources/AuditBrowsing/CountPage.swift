internal import AuditTrail
internal import Primitives
internal import StrictJSON

/// What `/api/counts` answers.
struct CountPage {
  var counts: RequestCounts
  /// How many kinds are shown.
  let limit: Int
  /// The earliest request that was counted, if there was no time for those before it, or too many kinds.
  var since: WallClockTime?
  /// Whether the lines behind the index's last were looked at as well.
  var isCurrent = true
  /// Lines of the journal that are no records.
  var unreadable = 0
  /// Records that tell of such a request, or did before they were altered, and do not hold.
  var altered: [Int] = []

  /// Kinds that are held in memory; actors may be as many as callers like.
  static let mostKinds = 10_000

  var json: [UInt8] {
    JSONWriter.object { writer in
      let rows = counts.rows
      writer.array("counts", Array(rows.prefix(limit))) {
        $0.raw(RequestCounts.json($1.values, $1.count, by: counts.fields))
      }
      writer.member("kinds", rows.count)
      writer.member("complete", isCurrent && since == nil)
      writer.member("since", since?.rfc3339)
      writer.member("unreadable", unreadable)
      writer.array("altered", altered) { $0.integer($1) }
    }
  }
}
