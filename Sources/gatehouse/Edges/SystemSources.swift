import Glibc
import Primitives

extension WallClockTime {
  /// The machine's clock, to the second: what a file that people read needs.
  static var now: WallClockTime { WallClockTime(seconds: Int64(time(nil))) }
}

/// Random bits for tokens: the standard library's generator, which takes them from the kernel.
struct KernelEntropy: Entropy {
  func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
