internal import Glibc
internal import OpenSSLCrypto
package import Primitives

/// The machine's clocks.
package struct SystemClock: TimeSource {
  package init() {}

  package func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Self.read(CLOCK_MONOTONIC))
  }

  package func wallClock() -> WallClockTime {
    WallClockTime(nanoseconds: Self.read(CLOCK_REALTIME))
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Random bits for what is needed now and then: the standard library's generator, which asks the kernel each time.
package struct SystemEntropy: Entropy {
  package init() {}
  package func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}

/// Random bits for request ids, tokens and jitter, which it takes from OpenSSL's generator many at a time: a system call
/// each would cost as much as receiving a request does. Not for keys. For one thread.
///
/// `@unchecked Sendable`: it belongs to a worker, and only the worker's loop touches it.
final class StockedEntropy: Entropy, @unchecked Sendable {
  private var stock = [UInt64](repeating: 0, count: 512)
  private var left = 0
  private let fill: (UnsafeMutableRawBufferPointer) -> Bool

  /// - Parameter fill: puts random bits into memory; `false`: it could not.
  init(filledBy fill: @escaping (UnsafeMutableRawBufferPointer) -> Bool = fillWithRandomBytes) {
    self.fill = fill
  }

  func next() -> UInt64 {
    if left == 0 { refill() }
    left -= 1
    defer { stock[left] = 0 }
    return stock[left]
  }

  private func refill() {
    if !stock.withUnsafeMutableBytes(fill) {
      for index in stock.indices { stock[index] = UInt64.random(in: .min ... .max) }
    }
    left = stock.count
  }
}
