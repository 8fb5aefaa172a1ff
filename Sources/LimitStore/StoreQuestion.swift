internal import Primitives
internal import SharedLimits

/// A request about which the store is asked.
final class StoreQuestion {
  let command: LimitCommand
  /// What is asked about, in the order of the reply.
  let buckets: [SharedBucket]
  let lease: SharedLease?
  let askedAt: Int64
  let deadline: Int64
  /// The server did not know the script, and was told.
  var isRepeated = false
  private var asker: Asker?

  enum Asker {
    case request(UnsafeContinuation<SharedDecision?, Never>)
    /// The request is over.
    case nobody((SharedDecision?) -> Void)
  }

  init(
    _ command: LimitCommand, about buckets: [SharedBucket], _ lease: SharedLease?, askedAt: Int64,
    deadline: Int64, from asker: Asker
  ) {
    self.command = command
    self.buckets = buckets
    self.lease = lease
    self.askedAt = askedAt
    self.deadline = deadline
    self.asker = asker
  }

  /// `nil`: the store does not decide.
  func end(_ decision: SharedDecision?) {
    let asker = asker
    self.asker = nil
    switch asker {
    case .request(let continuation): continuation.resume(returning: decision)
    case .nobody(let told): told(decision)
    case nil: break
    }
  }
}

/// What a reply will be to.
struct ExpectedReply {
  enum Kind {
    case decision(StoreQuestion)
    case gateways
    case script
    /// It counts only if it is an error.
    case done
  }

  let kind: Kind
  let deadline: Int64
}

/// The replies that are to come, in their order.
struct ExpectedReplies {
  private var replies: [ExpectedReply?] = []
  /// Those before it have come; they are dropped many at a time.
  private var head = 0

  var count: Int { replies.count - head }
  var first: ExpectedReply? { head < replies.count ? replies[head] : nil }

  mutating func append(_ kind: ExpectedReply.Kind, by deadline: Int64) {
    replies.append(ExpectedReply(kind: kind, deadline: deadline))
  }

  mutating func popFirst() -> ExpectedReply? {
    guard head < replies.count else { return nil }
    defer {
      replies[head] = nil
      head += 1
      if head == replies.count {
        replies.removeAll(keepingCapacity: true)
        head = 0
      } else if head > 64, head > replies.count / 2 {
        replies.removeFirst(head)
        head = 0
      }
    }
    return replies[head]
  }
}
