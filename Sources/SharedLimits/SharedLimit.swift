internal import Primitives
package import RateLimiting
internal import RedisWire

/// A limit as the store is told of it: made once, for all requests that are under it.
package final class SharedLimit: Sendable {
  package enum Kind: Sendable {
    /// - Parameter queueFor: nanoseconds that a request may wait for its turn, which is then its own.
    case rate(GCRA, queueFor: Int64)
    /// So many requests in flight.
    case concurrency(Int)
    /// The account's quota.
    case budget(SharedQuota)
  }

  /// What its decision means for the others'.
  package enum Charge: UInt8, Sendable {
    /// A request that it refuses costs the others nothing, and it costs nothing where another refuses.
    case enforced = 0x65
    /// As that, but it is counted whatever the others say.
    case always = 0x61
    /// It stops nothing.
    case warns = 0x77
  }

  package let kind: Kind
  package let charge: Charge
  /// Four arguments for the script.
  let arguments: RedisArguments

  package init(_ kind: Kind, _ charge: Charge) {
    self.kind = kind
    self.charge = charge
    arguments = RedisArguments(kind.words(charge))
    (answerLength, isRate) =
      switch kind {
      case .rate: (3, true)
      case .concurrency: (3, false)
      case .budget: (5, false)
      }
  }

  /// Numbers that the store says of it.
  let answerLength: Int
  let isRate: Bool
}

extension SharedLimit.Kind {
  fileprivate func words(_ charge: SharedLimit.Charge) -> [[UInt8]] {
    switch self {
    case .rate(let limit, let queueFor):
      [
        [UInt8(ascii: "r"), charge.rawValue], limit.microseconds, Self.word(limit.burst),
        Self.word(Int(queueFor / 1000)),
      ]
    case .concurrency(let most): [[UInt8(ascii: "c"), charge.rawValue], Self.word(most), [], []]
    case .budget(let quota): [[UInt8(ascii: "b"), charge.rawValue], quota.words, [], []]
    }
  }

  private static func word(_ number: Int) -> [UInt8] { Array(String(number).utf8) }
}

extension GCRA {
  /// That a request takes up.
  fileprivate var microseconds: [UInt8] {
    var text: [UInt8] = []
    text.append(decimal: Int(interval / 1000))
    let rest = Int(interval % 1000)
    if rest > 0 {
      text.append(UInt8(ascii: "."))
      text.append(decimal: rest, width: 3)
    }
    return text
  }
}
