/// Jobs in the order in which they came: a ring in memory of its own, which grows and is never given back.
struct JobQueue: ~Copyable {
  private var ring: UnsafeMutablePointer<UnownedJob>
  /// A power of two.
  private var capacity = 64
  private var first = 0
  private(set) var count = 0

  init() { ring = .allocate(capacity: capacity) }

  deinit { ring.deallocate() }

  var isEmpty: Bool { count == 0 }

  mutating func append(_ job: UnownedJob) {
    if count == capacity { grow() }
    // A job is a reference that nobody counts, so there is nothing to destroy where it stood.
    (ring + (first &+ count) & (capacity &- 1)).initialize(to: job)
    count &+= 1
  }

  mutating func popFirst() -> UnownedJob? {
    guard count > 0 else { return nil }
    let job = ring[first]
    first = (first &+ 1) & (capacity &- 1)
    count &-= 1
    return job
  }

  /// Appends all of `other`, which is empty then.
  mutating func take(_ other: inout JobQueue) {
    while let job = other.popFirst() { append(job) }
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<UnownedJob>.allocate(capacity: 2 * capacity)
    for index in 0..<count {
      (larger + index).initialize(to: ring[(first &+ index) & (capacity &- 1)])
    }
    ring.deallocate()
    ring = larger
    capacity *= 2
    first = 0
  }
}
