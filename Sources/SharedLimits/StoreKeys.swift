package import Primitives
internal import RedisWire

/// The names under which buckets stand in the store.
///
///     gatehouse:{limits}:tenant:crm
///     └ prefix ┘└ tag ─┘ └kind ┘└ name
///
/// All have one hash tag, so that in a cluster they lie in one slot and one script may touch them together. Names of
/// tenants, addresses and whatever else strangers choose are percent-encoded but for letters, digits and `-._~`: none can
/// hold the separator, a brace, or the name of another.
package struct StoreKeys: Sendable, Hashable {
  /// Prefix and tag.
  private let base: [UInt8]
  /// Since when gateways have told without a break that they live.
  package let run: StoreKey
  /// The gateways that live.
  package let gateways: StoreKey

  /// - Parameter prefix: without braces, which would be another tag.
  package init(prefix: String) {
    base = Array(prefix.utf8) + Array("{limits}:".utf8)
    run = StoreKey(base + Array("run".utf8))
    gateways = StoreKey(base + Array("gateways".utf8))
  }

  /// The key of a bucket of a kind (`tenant`, `concurrency`, `source`, `budget`) for what has these names.
  package func bucket(_ kind: StaticString, _ names: [Text]) -> StoreKey { StoreKey(name(kind, names)) }

  /// The same as the server knows it.
  package func name(_ kind: StaticString, _ names: [Text]) -> [UInt8] {
    var key = base
    key.append(kind)
    for name in names { Self.append(name: name.utf8.span, to: &key) }
    return key
  }

  /// One more name behind those of a bucket.
  package static func append(name: Span<UInt8>, to key: inout [UInt8]) {
    key.append(UInt8(ascii: ":"))
    name.withUnsafeBufferPointer { PercentCoding.encode($0, into: &key) }
  }
}

/// The name of one value in the store, ready to be sent.
package struct StoreKey: Sendable, Hashable {
  let sent: RedisArguments
  /// Mostly tells it from others without looking at them.
  private let hash: Int

  package init(_ name: [UInt8]) { self.init(sent: RedisArguments([name])) }

  private init(sent: RedisArguments) {
    self.sent = sent
    hash = sent.hashValue
  }

  /// Of what is not in the store.
  package static let none = StoreKey(sent: .none)

  package static func == (one: StoreKey, other: StoreKey) -> Bool {
    one.hash == other.hash && one.sent == other.sent
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
