public import Primitives

/// Which create a request repeats: one tenant's, in one AppInstance, under one ClientRequestToken.
@usableFromInline package struct ReplayKey: Hashable, Sendable {
  /// The three, one after the other with NUL between, which none of them holds (JSON strings with NUL are
  /// refused): one object to keep and to compare.
  @usableFromInline let bytes: [UInt8]
  /// Computed once: a request looks its key up several times.
  @usableFromInline let hash: Int

  @inlinable package init(tenant: Text, appInstanceArn: Text, clientRequestToken: Text) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      tenant.utf8.count + appInstanceArn.utf8.count + clientRequestToken.utf8.count + 2)
    bytes.append(contentsOf: tenant.utf8)
    bytes.append(0)
    bytes.append(contentsOf: appInstanceArn.utf8)
    bytes.append(0)
    bytes.append(contentsOf: clientRequestToken.utf8)
    self.bytes = bytes
    var hasher = Hasher()
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    hash = hasher.finalize()
  }

  @inlinable package static func == (left: Self, right: Self) -> Bool {
    left.hash == right.hash && left.bytes == right.bytes
  }

  @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

/// Repeats of a create (contract section 6, "SDK retries"): they join the one in flight, or get its
/// recorded answer for as long as the window lasts.
///
/// A key goes: absent ─begin→ in flight ─finish with an answer→ answered ─window over→ absent;
/// and from in flight, finish without an answer, back to absent. The window begins with the answer.
///
/// Only an answer that would be the same again is recorded (`isDefinitive`). After any other outcome
/// (a lost answer, a 5xx, a throttle) the next repeat goes upstream, where the ClientRequestToken that
/// it carries keeps a second user from being made; to replay a failure would defeat the retry.
///
/// Inlinable, because generic code is not specialised across modules otherwise.
///
/// Memory: requests in flight are bounded by connections; answers by `capacity`, the oldest going first.
@usableFromInline
package struct ReplayTable<
  Digest: Hashable & Sendable, Waiter: Sendable, Answer: Sendable
>: Sendable {
  @usableFromInline enum Entry: Sendable {
    case inFlight(Digest, [Waiter])
    case answered(Digest, Answer, at: MonotonicInstant)
  }

  @usableFromInline package enum Admission: Sendable {
    /// The first of its kind: send it, and call `finish` whatever comes of it.
    case proceed
    /// One like it is in flight: `add` a waiter, and if that is too late `begin` again.
    case join
    case replay(Answer)
    /// The same token with another body.
    case conflict
  }

  @usableFromInline var entries: [ReplayKey: Entry] = [:]
  @usableFromInline var answered: AnsweredKeys
  /// Nanoseconds; 0 turns the table off.
  @usableFromInline let window: Int64

  @inlinable package init(windowNanoseconds: Int64, capacity: Int = 4096) {
    window = windowNanoseconds
    answered = AnsweredKeys(capacity: max(1, capacity))
  }

  @inlinable package mutating func begin(
    _ key: ReplayKey, digest: Digest, now: MonotonicInstant
  ) -> Admission {
    guard window > 0 else { return .proceed }
    dropExpired(now: now)
    switch entries[key] {
    case nil:
      entries[key] = .inFlight(digest, [])
      return .proceed
    case .inFlight(let known, _):
      return known == digest ? .join : .conflict
    case .answered(let known, let answer, _):
      return known == digest ? .replay(answer) : .conflict
    }
  }

  /// Adds to those that get the answer of the request in flight. `false`: there is none any more.
  @inlinable package mutating func add(_ waiter: Waiter, to key: ReplayKey) -> Bool {
    guard case .inFlight(let digest, var waiters)? = entries[key] else { return false }
    // Taken out before it is changed, so that the array is not copied.
    entries[key] = nil
    waiters.append(waiter)
    entries[key] = .inFlight(digest, waiters)
    return true
  }

  /// Ends what `begin` let proceed. `definitive` is nil when the outcome must not be repeated; the
  /// waiters get whatever the caller tells them then.
  @inlinable package mutating func finish(
    _ key: ReplayKey, definitive: Answer?, now: MonotonicInstant
  ) -> [Waiter] {
    guard case .inFlight(let digest, let waiters)? = entries[key] else { return [] }
    if let definitive {
      if answered.isFull, let oldest = answered.popFirst() { forget(oldest) }
      entries[key] = .answered(digest, definitive, at: now)
      answered.append(AnsweredKeys.Item(key: key, at: now))
    } else {
      entries[key] = nil
    }
    return waiters
  }

  /// Whether upstream's answer would be the same again: success, or a fault of the request itself.
  /// 401 and 403 are about the gateway's own credentials, 408, 425 and 429 about the moment.
  @inlinable package static func isDefinitive(status: Int) -> Bool {
    switch status {
    case 401, 403, 408, 425, 429: false
    default: (200..<300).contains(status) || (400..<500).contains(status)
    }
  }

  @inlinable package var count: Int { entries.count }

  @inlinable mutating func dropExpired(now: MonotonicInstant) {
    while let oldest = answered.first, now.nanoseconds(since: oldest.at) >= window {
      _ = answered.popFirst()
      forget(oldest)
    }
  }

  @inlinable mutating func forget(_ item: AnsweredKeys.Item) {
    // The key may have been let go of and answered anew since.
    if case .answered(_, _, item.at)? = entries[item.key] { entries[item.key] = nil }
  }
}

/// Keys in the order in which they were answered: a ring that grows up to its capacity.
@usableFromInline struct AnsweredKeys: Sendable {
  @usableFromInline struct Item: Sendable {
    @usableFromInline let key: ReplayKey
    @usableFromInline let at: MonotonicInstant

    @inlinable init(key: ReplayKey, at: MonotonicInstant) {
      self.key = key
      self.at = at
    }
  }

  @usableFromInline var items: [Item] = []
  @usableFromInline var start = 0
  @usableFromInline var count = 0
  @usableFromInline let capacity: Int

  @inlinable init(capacity: Int) { self.capacity = capacity }

  @inlinable var first: Item? { count > 0 ? items[start] : nil }
  @inlinable var isFull: Bool { count == capacity }

  /// There must be room.
  @inlinable mutating func append(_ item: Item) {
    let end = start + count < capacity ? start + count : start + count - capacity
    if end == items.count { items.append(item) } else { items[end] = item }
    count += 1
  }

  @inlinable mutating func popFirst() -> Item? {
    guard let item = first else { return nil }
    start = start + 1 < capacity ? start + 1 : 0
    count -= 1
    return item
  }
}
