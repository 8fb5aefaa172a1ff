package import Primitives
package import RedisWire

/// What is sent to the store. A script is named by its digest (`EVALSHA`), or sent whole (`EVAL`) to a server that does not
/// know it (any more), which then does.
package enum LimitCommand: Sendable {
  /// Decides on a request.
  /// - Parameter lease: names it among those in flight, where one of the buckets is about that.
  case decide([SharedBucket], lease: [UInt8])
  /// What became of a request that waits for its turn in a budget.
  case look(key: StoreKey, SharedQuota, QuotaTenant, ticket: Int64)
  /// A turn in a budget was not used.
  case giveBack(key: StoreKey, SharedQuota, QuotaTenant)
  /// Upstream answered 429.
  case throttled(key: StoreKey, SharedQuota)
  /// Tells that a gateway lives, and renews leases: keys of buckets, with who is in flight there.
  case beat(gateway: [UInt8], leases: [(key: StoreKey, members: [[UInt8]])])
  /// A request is no longer in flight.
  case release(key: StoreKey, lease: [UInt8])

  /// How the script is called by its digest, as the server gave it.
  package static func call(_ digest: [UInt8]) -> RedisArguments {
    RedisArguments([Array("EVALSHA".utf8), digest])
  }

  /// The same for a server that may not have it.
  package static let wholeScript = RedisArguments([Array("EVAL".utf8), LimitScript.text])

  /// - Parameter script: how it is called.
  package func append(to out: inout ByteBuffer, keys: StoreKeys, script: RedisArguments) {
    switch self {
    case .decide(let buckets, let lease):
      out.begin(script, keys: buckets.count + 1, arguments: 1 + 4 * buckets.count)
      out.append(keys.run.sent)
      // By a span, which lends buckets where a loop over the array would copy them.
      let buckets = buckets.span
      for place in buckets.indices { out.append(buckets[place].key.sent) }
      out.append(argument: "decide")
      for place in buckets.indices { buckets[place].appendArguments(lease: lease, to: &out) }
    case .look(let key, let quota, let tenant, let ticket):
      out.begin("look", script, about: key, of: quota, keys, arguments: 2)
      out.append(tenant.name)
      out.append(argument: Int(ticket))
    case .giveBack(let key, let quota, let tenant):
      out.begin("giveBack", script, about: key, of: quota, keys, arguments: 1)
      out.append(tenant.name)
    case .throttled(let key, let quota):
      out.begin("throttled", script, about: key, of: quota, keys, arguments: 0)
    case .beat(let gateway, let leases):
      out.begin(
        script, keys: 2 + leases.count, arguments: 2 + leases.reduce(0) { $0 + 1 + $1.members.count })
      out.append(keys.run.sent)
      out.append(keys.gateways.sent)
      for lease in leases { out.append(lease.key.sent) }
      out.append(argument: "beat")
      out.append(argument: gateway)
      for lease in leases {
        out.append(argument: lease.members.count)
        for member in lease.members { out.append(argument: member) }
      }
    case .release(let key, let lease):
      out.begin(redisCommand: 3)
      out.append(argument: "ZREM")
      out.append(key.sent)
      out.append(argument: lease)
    }
  }

  /// The answer to `decide` and `look`; `nil` when it is none.
  package static func decision(_ reply: RedisReply, about buckets: [SharedBucket]) -> SharedDecision? {
    guard case .integers(let numbers) = reply else { return nil }
    return SharedDecision(numbers, about: buckets)
  }
}

extension SharedBucket {
  fileprivate func appendArguments(lease: [UInt8], to out: inout ByteBuffer) {
    out.append(limit.arguments)
    switch limit.kind {
    case .rate: break
    case .concurrency:
      out.append(argument: lease)
      out.append(argument: 0)
    case .budget:
      out.append(wish?.tenant.nameAndWeight ?? .none)
      out.append(argument: Int((wish?.queueFor ?? 0) / 1000))
    }
  }
}

extension ByteBuffer {
  fileprivate mutating func begin(_ script: RedisArguments, keys: Int, arguments: Int) {
    begin(redisCommand: script.count + 1 + keys + arguments)
    append(script)
    append(argument: keys)
  }

  /// A call about one budget, with so many arguments of its own to come.
  fileprivate mutating func begin(
    _ wanted: StaticString, _ script: RedisArguments, about key: StoreKey, of quota: SharedQuota,
    _ keys: StoreKeys, arguments: Int
  ) {
    begin(script, keys: 2, arguments: 2 + arguments)
    append(keys.run.sent)
    append(key.sent)
    append(argument: wanted)
    append(quota.arguments)
  }
}
