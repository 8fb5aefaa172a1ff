internal import Primitives
internal import SharedLimits

/// A request about which the store is asked.
final class StoreQuestion {
  /// What is asked about, in the order of the reply.
  let buckets: [SharedBucket]
  let lease: SharedLease?
  let askedAt: Int64
  let deadline: Int64
  /// Of a request that waits for its turn in a budget; `nil`: nothing has been decided yet.
  let ticket: Int64?
  /// The server did not know the script, or could not say anything of the call that this was in.
  var isRepeated = false
  private var asker: Asker?

  enum Asker {
    case request(UnsafeContinuation<SharedDecision?, Never>)
    /// The request is over.
    case nobody((SharedDecision?) -> Void)
  }

  init(
    about buckets: [SharedBucket], _ lease: SharedLease? = nil, ticket: Int64? = nil, askedAt: Int64,
    deadline: Int64, from asker: Asker
  ) {
    self.buckets = buckets
    self.lease = lease
    self.ticket = ticket
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
    /// To one call about all of them.
    case decisions([StoreQuestion])
    case look(StoreQuestion)
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
