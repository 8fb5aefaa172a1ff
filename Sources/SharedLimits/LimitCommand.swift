package import Primitives
internal import RedisWire

/// What is sent to the store besides questions about requests (`DecisionCall`). A script is named by its digest (`EVALSHA`), or sent whole (`EVAL`) to a server that does not
/// know it (any more), which then does.
package enum LimitCommand: Sendable {
  /// What became of a request that waits for its turn in a budget.
  case look(key: StoreKey, SharedQuota, QuotaTenant, ticket: Int64)
  /// A turn in a budget was not used.
  case giveBack(key: StoreKey, SharedQuota, QuotaTenant)
  /// Upstream answered 429.
  case throttled(key: StoreKey, SharedQuota)
  /// Tells that a gateway lives, and renews leases: keys of buckets, with who is in flight there.
  case beat(gateway: [UInt8], leases: [(key: StoreKey, members: [[UInt8]])])
  /// Requests are no longer in flight.
  case release(key: StoreKey, leases: [[UInt8]])

  /// - Parameter script: how it is called.
  package func append(to out: inout ByteBuffer, keys: StoreKeys, script: ScriptCall) {
    switch self {
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
    case .release(let key, let leases):
      out.begin(redisCommand: 2 + leases.count)
      out.append(argument: "ZREM")
      out.append(key.sent)
      for lease in leases { out.append(argument: lease) }
    }
  }
}

/// How the script is called.
package struct ScriptCall: Sendable {
  fileprivate let words: RedisArguments

  /// By its digest, as the server gave it.
  package init(digest: [UInt8]) { words = RedisArguments([Array("EVALSHA".utf8), digest]) }

  private init(whole text: [UInt8]) { words = RedisArguments([Array("EVAL".utf8), text]) }

  /// For a server that may not have it.
  package static let whole = ScriptCall(whole: LimitScript.text)
}

extension ByteBuffer {
  mutating func begin(_ script: ScriptCall, keys: Int, arguments: Int) {
    begin(redisCommand: script.words.count + 1 + keys + arguments)
    append(script.words)
    append(argument: keys)
  }

  /// A call about one budget, with so many arguments of its own to come.
  fileprivate mutating func begin(
    _ wanted: StaticString, _ script: ScriptCall, about key: StoreKey, of quota: SharedQuota,
    _ keys: StoreKeys, arguments: Int
  ) {
    begin(script, keys: 2, arguments: 2 + arguments)
    append(keys.run.sent)
    append(key.sent)
    append(argument: wanted)
    append(quota.arguments)
  }
}
