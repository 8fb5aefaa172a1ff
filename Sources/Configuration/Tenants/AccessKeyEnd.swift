package import Primitives
internal import StrictJSON

/// The end of an access key that can be used until then, for whoever knows what time it is.
package struct AccessKeyEnd: Sendable {
  private let file: String
  private let position: SourcePosition
  private let key: Text
  private let tenant: Text
  private let notAfter: WallClockTime

  /// `nil` for a key that is revoked, or has no end.
  init?(of key: TenantEntry.AccessKey, tenant: Text, file: String) {
    guard key.status == .active, let notAfter = key.notAfter else { return nil }
    self.file = file
    position = key.position
    self.key = key.id
    self.tenant = tenant
    self.notAfter = notAfter
  }

  /// How long before its end `check` begins to speak of a key: time for a rotation that somebody must agree to.
  private static let notice: Int64 = 14 * 86_400 * 1_000_000_000

  /// What there is to say about it now.
  package func problem(at now: WallClockTime) -> Problem? {
    let left = notAfter.nanoseconds(since: now)
    guard left <= Self.notice else { return nil }
    let state = left < 0 ? "ended on \(notAfter.rfc3339)" : "ends on \(notAfter.rfc3339), \(Self.days(left))"
    return Problem(
      file: file, position: position, severity: .warning,
      message: "access key \(quoted(key.string)) of tenant \(quoted(tenant.string)) \(state); "
        + "`gatehouse tenant rotate \(tenant)` gives a new one")
  }

  private static func days(_ left: Int64) -> String {
    switch left / (86_400 * 1_000_000_000) {
    case 0: "within a day"
    case 1: "in 1 day"
    case let days: "in \(days) days"
    }
  }
}
