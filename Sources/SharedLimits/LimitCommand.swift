package import Primitives
internal import RateLimiting
package import RedisWire

/// What is sent to the store. A script is named by its digest (`EVALSHA`), or sent whole (`EVAL`) to a server that does not
/// know it (any more), which then does.
package enum LimitCommand: Sendable {
  /// Decides on a request.
  /// - Parameter lease: names it among those in flight, where one of the buckets is about that.
  case decide([SharedBucket], lease: [UInt8])
  /// What became of a request that waits for its turn in a budget.
  case look(key: [UInt8], SharedBudget, ticket: Int64)
  /// A turn in a budget was not used.
  case giveBack(key: [UInt8], SharedBudget)
  /// Upstream answered 429.
  case throttled(key: [UInt8], SharedQuota)
  /// Tells that a gateway lives, and renews leases: keys of buckets, with who is in flight there.
  case beat(gateway: [UInt8], leases: [(key: [UInt8], members: [[UInt8]])])
  /// A request is no longer in flight.
  case release(key: [UInt8], lease: [UInt8])

  /// - Parameter digest: of the script, as the server gave it; `nil`: send it whole.
  package func append(to out: inout ByteBuffer, keys: StoreKeys, digest: [UInt8]?) {
    switch self {
    case .decide(let buckets, let lease):
      let run = keys.run
      out.begin(script: digest, keys: buckets.count + 1, arguments: 1 + 4 * buckets.count)
      out.append(argument: run)
      for bucket in buckets { out.append(argument: bucket.key) }
      out.append(argument: "decide")
      for bucket in buckets { bucket.appendArguments(lease: lease, to: &out) }
    case .look(let key, let budget, let ticket):
      out.begin("look", script: digest, about: key, of: budget.quota, keys, arguments: 2)
      out.append(argument: budget.tenant.name)
      out.append(argument: Int(ticket))
    case .giveBack(let key, let budget):
      out.begin("giveBack", script: digest, about: key, of: budget.quota, keys, arguments: 1)
      out.append(argument: budget.tenant.name)
    case .throttled(let key, let quota):
      out.begin("throttled", script: digest, about: key, of: quota, keys, arguments: 0)
    case .beat(let gateway, let leases):
      out.begin(
        script: digest, keys: 2 + leases.count,
        arguments: 2 + leases.reduce(0) { $0 + 1 + $1.members.count })
      out.append(argument: keys.run)
      out.append(argument: keys.gateways)
      for lease in leases { out.append(argument: lease.key) }
      out.append(argument: "beat")
      out.append(argument: gateway)
      for lease in leases {
        out.append(argument: lease.members.count)
        for member in lease.members { out.append(argument: member) }
      }
    case .release(let key, let lease):
      out.begin(redisCommand: 3)
      out.append(argument: "ZREM")
      out.append(argument: key)
      out.append(argument: lease)
    }
  }

  /// The answer to `decide` and `look`; `nil` when it is none.
  package static func decision(_ reply: RedisReply, about buckets: [SharedBucket]) -> SharedDecision? {
    guard case .array(let elements) = reply else { return nil }
    var numbers: [Int64] = []
    numbers.reserveCapacity(elements.count)
    for element in elements {
      guard case .integer(let number) = element else { return nil }
      numbers.append(number)
    }
    return SharedDecision(numbers, about: buckets)
  }
}

extension SharedBucket {
  fileprivate func appendArguments(lease: [UInt8], to out: inout ByteBuffer) {
    switch kind {
    case .rate(let limit, let queueFor):
      out.append(argument: [UInt8(ascii: "r"), charge.rawValue])
      out.append(limit: limit)
      out.append(argument: Int(queueFor / 1000))
    case .concurrency(let most):
      out.append(argument: [UInt8(ascii: "c"), charge.rawValue])
      out.append(argument: most)
      out.append(argument: lease)
      out.append(argument: 0)
    case .budget(let budget):
      out.append(argument: [UInt8(ascii: "b"), charge.rawValue])
      out.append(argument: budget.quota.words)
      out.append(argument: budget.tenant.words)
      out.append(argument: Int(budget.queueFor / 1000))
    }
  }
}

extension ByteBuffer {
  fileprivate mutating func begin(script digest: [UInt8]?, keys: Int, arguments: Int) {
    begin(redisCommand: 3 + keys + arguments)
    if let digest {
      append(argument: "EVALSHA")
      append(argument: digest)
    } else {
      append(argument: "EVAL")
      append(argument: LimitScript.text)
    }
    append(argument: keys)
  }

  /// A call about one budget, with so many arguments of its own to come.
  fileprivate mutating func begin(
    _ wish: StaticString, script digest: [UInt8]?, about key: [UInt8], of quota: SharedQuota,
    _ keys: StoreKeys,
    arguments: Int
  ) {
    begin(script: digest, keys: 2, arguments: 2 + arguments)
    append(argument: keys.run)
    append(argument: key)
    append(argument: wish)
    append(argument: quota.words)
  }

  /// Microseconds that a request takes up, and the burst.
  fileprivate mutating func append(limit: GCRA) {
    var interval: [UInt8] = []
    interval.append(decimal: Int(limit.interval / 1000))
    let rest = Int(limit.interval % 1000)
    if rest > 0 {
      interval.append(UInt8(ascii: "."))
      interval.append(decimal: rest, width: 3)
    }
    append(argument: interval)
    append(argument: limit.burst)
  }
}
