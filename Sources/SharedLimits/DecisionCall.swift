package import Primitives
internal import RedisWire

/// Requests about which the store is asked with one call of its script: those of one turn of a loop.
///
/// Each bucket stands in the call once, however many of the requests are under it, so that the store reads and writes it
/// once.
package struct DecisionCall: ~Copyable, Sendable {
  private var keys: [StoreKey] = []
  private var limits: [SharedLimit] = []
  /// What is asked of each request, encoded.
  private var requests = ByteBuffer()
  private var argumentCount = 0
  package private(set) var requestCount = 0

  /// The server does nothing else meanwhile.
  private static let mostRequests = 128
  private static let mostBuckets = 64

  package init() {}

  /// - Parameter lease: names the request among those in flight, where one of the buckets is about that.
  /// - Returns: `false`: it does not fit in here; the next call has room for it.
  package mutating func add(_ buckets: [SharedBucket], lease: [UInt8]) -> Bool {
    guard requestCount < Self.mostRequests,
      keys.count + buckets.count <= Self.mostBuckets || requestCount == 0
    else { return false }
    // By a span, which lends buckets where a loop over the array would copy them.
    let asked = buckets.span
    let (before, length) = (keys.count, requests.count)
    requests.append(argument: asked.count)
    var arguments = 1
    for index in asked.indices {
      guard let place = place(of: asked[index]) else {
        keys.removeSubrange(before...)
        limits.removeSubrange(before...)
        requests.truncate(to: length)
        return false
      }
      requests.append(argument: place + 1)
      arguments += 1 + asked[index].appendOwn(lease: lease, to: &requests)
    }
    argumentCount += arguments
    requestCount += 1
    return true
  }

  /// - Returns: `nil`: it is in the call already, under other numbers, as before a reload.
  private mutating func place(of bucket: borrowing SharedBucket) -> Int? {
    for place in keys.indices where keys[place] == bucket.key {
      return limits[place] === bucket.limit ? place : nil
    }
    keys.append(bucket.key)
    limits.append(bucket.limit)
    return keys.count - 1
  }

  /// Writes the call, and begins another.
  /// - Parameter script: how it is called.
  package mutating func move(to out: inout ByteBuffer, keys names: StoreKeys, script: ScriptCall) {
    out.begin(script, keys: keys.count + 1, arguments: 1 + 4 * keys.count + argumentCount)
    out.append(names.run.sent)
    for place in keys.indices { out.append(keys[place].sent) }
    out.append(argument: "decide")
    for place in limits.indices { out.append(limits[place].arguments) }
    out.append(requests.span)
    removeAll()
  }

  package mutating func removeAll() {
    keys.removeAll(keepingCapacity: true)
    limits.removeAll(keepingCapacity: true)
    requests.removeAll()
    (argumentCount, requestCount) = (0, 0)
  }
}

extension SharedBucket {
  /// What the script gets of it besides what all requests under its limit share.
  /// - Returns: how many arguments that are.
  fileprivate func appendOwn(lease: [UInt8], to out: inout ByteBuffer) -> Int {
    switch limit.kind {
    case .rate: return 0
    case .concurrency:
      out.append(argument: lease)
      return 1
    case .budget:
      out.append(wish?.tenant.nameAndWeight ?? .none)
      out.append(argument: Int((wish?.queueFor ?? 0) / 1000))
      return 2
    }
  }
}
