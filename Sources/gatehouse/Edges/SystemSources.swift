import Gateway
import Primitives

extension WallClockTime {
  /// The machine's clock.
  static var now: WallClockTime { SystemClock().wallClock() }
}
