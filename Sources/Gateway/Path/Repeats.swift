internal import Primitives
internal import RateLimiting

/// The creates in flight and lately answered, of all workers.
final class Repeats: Sendable {
  /// A repeat that waits for the first.
  final class Waiter: Sendable {
    let continuation: UnsafeContinuation<UpstreamAnswer?, Never>
    init(_ continuation: UnsafeContinuation<UpstreamAnswer?, Never>) { self.continuation = continuation }
  }

  typealias Table = ReplayTable<Waiter>

  private let table: Table

  /// What the default quota of the account (20 a second) lets through in the default window, 10 minutes, is 12 000; the
  /// rest is for parts of the table that get more than their share. Of more, the oldest go first, and their repeats go
  /// upstream under the token that they bear, which is the same each time.
  static let mostAnswers = 16_384
  /// Each takes some 400 bytes, with upstream's longest error message about 1 KiB: 16 MiB of answers at most, and some
  /// 3 MiB to find them by, whatever upstream sends.
  static let mostBytes = 16 << 20

  /// A window of zero turns repeats off.
  init(windowNanoseconds: Int64) {
    table = Table(
      windowNanoseconds: windowNanoseconds, capacity: Self.mostAnswers, byteCapacity: Self.mostBytes)
  }

  func begin(_ key: ReplayKey, digest: RequestDigest, now: MonotonicInstant) -> Table.Admission {
    table.begin(key, digest: digest, now: now)
  }

  /// The answer of the one in flight; `nil` when there is none to share.
  func wait(for key: ReplayKey) async -> UpstreamAnswer? {
    await withUnsafeContinuation { continuation in
      if !table.add(Waiter(continuation), to: key) { continuation.resume(returning: nil) }
    }
  }

  /// Ends what `begin` let proceed, and tells those who waited.
  /// - Parameter scratch: what is to be kept is written there; empty before and after.
  func finish(
    _ key: ReplayKey, _ answer: UpstreamAnswer?, now: MonotonicInstant, scratch: inout ByteBuffer
  ) {
    guard let answer, Table.isDefinitive(status: answer.status) else {
      for waiter in table.finish(key) { waiter.continuation.resume(returning: nil) }
      return
    }
    answer.append(kept: &scratch)
    for waiter in table.finish(key, keeping: scratch.span, now: now) {
      waiter.continuation.resume(returning: answer)
    }
    scratch.removeAll()
  }
}
