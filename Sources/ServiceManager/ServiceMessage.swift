package import Primitives

/// What a service manager is told, in the form of sd_notify(3).
package enum ServiceMessage: Sendable, Hashable {
  /// It serves; also after a reload, whatever that came to.
  case ready(status: String)
  case reloading(at: MonotonicInstant)
  case stopping(status: String)
  /// Sign of life for the watchdog.
  case alive

  package var text: String {
    switch self {
    case .ready(let status): "READY=1\nSTATUS=\(Self.line(status))"
    case .reloading(let now): "RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)\nSTATUS=Reloading"
    case .stopping(let status): "STOPPING=1\nSTATUS=\(Self.line(status))"
    case .alive: "WATCHDOG=1"
    }
  }

  /// A line feed would begin another assignment.
  private static func line(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
  }
}
