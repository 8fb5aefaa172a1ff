package import Primitives

/// The account's own quota upstream, shared by all tenants: a rate with a burst.
///
/// Tokens bound the whole: they come at the rate, up to the burst, and each request costs one. While there are enough for
/// everybody nothing else counts: whoever asks gets one.
///
/// When somebody asks and there is none, there are more requests than budget, and shares begin to count. Such a tenant gets
/// an account (`BudgetAccount`), and what comes in is credited to the accounts by weight. A tenant pays with its credits, of
/// which it may save as many as it lately asked for in a second; what others have saved is kept for them. What it gets
/// beyond its credits costs it none: tokens that are nobody's, and those that a full bucket would lose. And while nobody has
/// a whole credit, whoever asks gets the token that is there, and owes the rest. So one that asks little finds its token
/// however much another asks, and nothing is held for a tenant that was never short of any.
///
/// A request that may wait stands behind the others of its tenant, whose turns come as its credits do.
///
/// With `adaptive`, each second in which upstream throttles halves the rate (not below a twentieth), and each second without
/// gives a tenth of the configured rate back.
package struct UpstreamBudget: Sendable {
  package enum Turn: Sendable, Hashable {
    /// It is paid for.
    case granted
    /// It stands in its tenant's queue: `look` for it again, after so many nanoseconds at the latest.
    case waiting(Ticket, nanoseconds: Int64)
    case refused(retryAfter: Int64)
  }

  /// A request that waits for its turn. Whoever has one looks for it until it is granted or refused.
  package struct Ticket: BitwiseCopyable, Sendable, Hashable {
    let tenant: Int
    let number: UInt64
  }

  private var settings: Settings
  private var adaptation: RateAdaptation?
  private var tokens: Double
  private var refilled: MonotonicInstant
  /// Of the tenants that were short of tokens lately, in no order.
  private var accounts: [BudgetAccount] = []
  /// The sum of all credits.
  private var credited = 0.0
  /// What came in and is not divided yet.
  private var undivided = 0.0
  private var divided: MonotonicInstant
  private var totalWeight = 0.0
  private var waitingCount = 0
  /// Paid for, and not looked for yet.
  private var granted: Set<UInt64> = []
  private var lastTicket: UInt64 = 0

  package struct Settings: BitwiseCopyable, Sendable, Hashable {
    package var requestsPerSecond: Double
    package var burst: Int
    package var adaptive: Bool

    package init(requestsPerSecond: Double, burst: Int, adaptive: Bool) {
      self.requestsPerSecond = max(requestsPerSecond, 1e-6)
      self.burst = max(1, burst)
      self.adaptive = adaptive
    }
  }

  /// Dividing looks at every account, so it is not done for every request, unless so much came in.
  private static let divideEvery: Int64 = 2_000_000
  private static let divideFrom = 0.25
  /// Requests that wait at once, of all tenants.
  private static let mostWaiting = 4096
  /// What rounding leaves of one is one.
  private static let one = 1 - 1e-6

  package init(_ settings: Settings, now: MonotonicInstant) {
    self.settings = settings
    adaptation = settings.adaptive ? RateAdaptation(now: now) : nil
    tokens = Double(settings.burst)
    refilled = now
    divided = now
  }

  /// Requests per second at present.
  package var rate: Double { settings.requestsPerSecond * (adaptation?.factor ?? 1) }

  /// Rate and burst as they are in force.
  package var limit: GCRA { GCRA(requestsPerSecond: rate, burst: settings.burst) }

  /// The same, with what is left of it.
  package mutating func level(now: MonotonicInstant) -> LimitDecision {
    advance(now: now)
    let whole = max(0, (tokens + 1 - Self.one).rounded(.down))
    let wait = Int64(min(max(0, whole + 1 - tokens) / rate * 1e9, 9e18).rounded(.up))
    return LimitDecision(
      isAllowed: whole >= 1, wait: whole >= 1 ? 0 : wait, remaining: Int(whole), reset: wait, policy: limit)
  }

  /// The same, with what has risen again by now.
  package mutating func limit(now: MonotonicInstant) -> GCRA {
    advance(now: now)
    return limit
  }

  private var burst: Double { Double(settings.burst) }

  /// Asks for one request's turn.
  /// - Parameters:
  ///   - tenant: its number, small and not negative (see `TenantMeter`).
  ///   - weight: above 0; the tenant's own rate, or the mean of the others' for a tenant without one.
  ///   - queueFor: nanoseconds the request may wait for its turn.
  package mutating func ask(
    _ tenant: Int, weight: Double, queueFor: Int64, now: MonotonicInstant
  ) -> Turn {
    advance(now: now)
    if accounts.isEmpty, tokens >= Self.one {
      tokens -= 1
      return .granted
    }
    return askInShortage(tenant, weight: weight, queueFor: queueFor, now: now)
  }

  private mutating func askInShortage(
    _ tenant: Int, weight: Double, queueFor: Int64, now: MonotonicInstant
  ) -> Turn {
    guard let place = place(of: tenant) ?? open(tenant, weight: weight, now: now) else {
      tokens -= 1
      return .granted
    }
    setWeight(weight, at: place)
    accounts[place].ask(now: now)
    if accounts[place].waiting.isEmpty, pay(at: place) { return .granted }
    let wait = wait(behind: accounts[place].waiting.count, at: place)
    guard wait <= queueFor, waitingCount < Self.mostWaiting else {
      accounts[place].expect(from: now, after: wait)
      return .refused(retryAfter: wait)
    }
    lastTicket += 1
    accounts[place].waiting.append(.init(number: lastTicket, deadline: now.advanced(byNanoseconds: queueFor)))
    waitingCount += 1
    return .waiting(Ticket(tenant: tenant, number: lastTicket), nanoseconds: max(1, wait))
  }

  /// What became of a request that waits.
  package mutating func look(for ticket: Ticket, now: MonotonicInstant) -> Turn {
    advance(now: now)
    if granted.remove(ticket.number) != nil { return .granted }
    guard let place = place(of: ticket.tenant),
      let index = accounts[place].waiting.firstIndex(where: { $0.number == ticket.number })
    else { return .refused(retryAfter: 0) }
    let wait = wait(behind: index, at: place)
    let left = accounts[place].waiting[index].deadline.nanoseconds(since: now)
    guard left > 0 else {
      accounts[place].waiting.remove(at: index)
      waitingCount -= 1
      accounts[place].expect(from: now, after: wait)
      return .refused(retryAfter: wait)
    }
    return .waiting(ticket, nanoseconds: max(1, min(wait, left)))
  }

  /// The request waits no longer.
  package mutating func leave(_ ticket: Ticket) {
    if granted.remove(ticket.number) != nil { return giveBack(ticket.tenant) }
    guard let place = place(of: ticket.tenant),
      let index = accounts[place].waiting.firstIndex(where: { $0.number == ticket.number })
    else { return }
    accounts[place].waiting.remove(at: index)
    waitingCount -= 1
  }

  /// Gives back the turn of a request that was never sent.
  package mutating func giveBack(_ tenant: Int) {
    tokens = min(burst, tokens + 1)
    if let place = place(of: tenant) { credit(1, at: place) }
  }

  /// Upstream answered 429.
  package mutating func throttled(now: MonotonicInstant) {
    // What came in so far came in at the rate until now.
    refill(now: now)
    adaptation?.throttled(now: now)
  }

  /// Takes other numbers: as much of the burst is there as before, as a part of it, and so are credits.
  package mutating func change(to new: Settings, now: MonotonicInstant) {
    advance(now: now)
    let factor = Double(new.burst) / burst
    tokens *= factor
    for place in accounts.indices { accounts[place].credits *= factor }
    credited *= factor
    settings = new
    if !new.adaptive { adaptation = nil } else if adaptation == nil { adaptation = RateAdaptation(now: now) }
  }
}

extension UpstreamBudget {
  /// Tokens that are kept for nobody.
  private var free: Double { tokens - credited - undivided }

  private func place(of tenant: Int) -> Int? { accounts.firstIndex { $0.tenant == tenant } }

  /// Opens an account for a tenant that finds no token; `nil` when there is a free one.
  private mutating func open(_ tenant: Int, weight: Double, now: MonotonicInstant) -> Int? {
    guard free < Self.one else { return nil }
    if accounts.isEmpty { (undivided, divided) = (0, now) }
    var account = BudgetAccount(tenant: tenant, now: now)
    account.credits = max(0, free)
    credited += account.credits
    accounts.append(account)
    return accounts.count - 1
  }

  private mutating func setWeight(_ weight: Double, at place: Int) {
    let weight = weight > 0 && weight.isFinite ? weight : settings.requestsPerSecond
    totalWeight += weight - accounts[place].weight
    accounts[place].weight = weight
  }

  /// Takes a token for the tenant, if there is one that is not kept for another.
  private mutating func pay(at place: Int) -> Bool {
    guard tokens >= Self.one else { return false }
    if accounts[place].credits >= Self.one {
      credit(-1, at: place)
    } else if free < Self.one {
      // Who owes already borrows no more.
      if accounts[place].credits >= -1e-6, !accounts.contains(where: { $0.credits >= Self.one }) {
        credit(-1, at: place)
      } else if tokens < burst - Self.one || !mayLose {
        return false
      }
    }
    tokens -= 1
    return true
  }

  /// Whether a full bucket's next token is anybody's: not while there are as many tenants as tokens, and one of them has a
  /// credit and is expected.
  private var mayLose: Bool {
    settings.burst > accounts.count
      || !accounts.contains { $0.credits >= Self.one && $0.isExpected(now: refilled) }
  }

  private mutating func credit(_ amount: Double, at place: Int) {
    let before = accounts[place].credits
    accounts[place].credits = min(before + amount, max(before, most(at: place)))
    credited += accounts[place].credits - before
  }

  /// What a tenant may save: what it is expected to ask for at once, and no more than half as much again as its share of the
  /// burst, since they seldom all use theirs together; but one, or a tenant among many could never pay for a request. What requests wait
  /// for is theirs in any case.
  private func most(at place: Int) -> Double {
    let account = accounts[place]
    guard account.waiting.isEmpty else { return .infinity }
    guard account.isExpected(now: refilled) else { return 1 }
    return max(1, min(burst, 1.5 * burst * account.weight / totalWeight, account.demand))
  }

  /// Nanoseconds until a request has its turn behind so many others of its tenant, if all that asked a moment ago go on.
  private func wait(behind others: Int, at place: Int) -> Int64 {
    let account = accounts[place]
    var weights = account.weight
    for other in accounts.indices where other != place {
      let takesPart = accounts[other].isExpected(now: refilled) || accounts[other].credits < most(at: other)
      if takesPart { weights += accounts[other].weight }
    }
    let own = (Double(others + 1) - account.credits) / (rate * account.weight / weights)
    let any = (1 - tokens) / rate
    let seconds = max(own, any)
    return seconds <= 1e-9 ? 0 : Int64(min(seconds * 1e9, 9e18).rounded(.up))
  }

  private mutating func advance(now: MonotonicInstant) {
    adaptation?.advance(now: now)
    refill(now: now)
  }

  private mutating func refill(now: MonotonicInstant) {
    let elapsed = now.nanoseconds(since: refilled)
    guard elapsed > 0 else { return }
    refilled = now
    let income = rate * Double(elapsed) / 1e9
    tokens = min(burst, tokens + income)
    guard !accounts.isEmpty else { return }
    undivided += income
    let isDue = undivided >= Self.divideFrom || now.nanoseconds(since: divided) >= Self.divideEvery
    if isDue { divide(now: now) }
  }

  private mutating func divide(now: MonotonicInstant) {
    closeIdle(now: now)
    share(undivided)
    (undivided, divided) = (0, now)
    serveWaiting()
  }

  /// Divides what came in by weight. What those leave that have saved as much as they may goes to the others, unless more
  /// is saved than there is: then it makes up for that.
  private mutating func share(_ income: Double) {
    var left = income
    var part = income / totalWeight
    while left > 1e-9 {
      for place in accounts.indices {
        let before = credited
        credit(part * accounts[place].weight, at: place)
        left -= credited - before
      }
      left = min(left, tokens - credited)
      var weight = 0.0
      for place in accounts.indices where accounts[place].credits < most(at: place) {
        weight += accounts[place].weight
      }
      guard weight > 0 else { return }
      part = left / weight
    }
  }

  /// Grants turns to those that wait, as far as tokens and credits go: the tenant with the most credits first.
  private mutating func serveWaiting() {
    while waitingCount > 0, tokens >= Self.one {
      let first = accounts.indices.lazy.filter { [accounts] in !accounts[$0].waiting.isEmpty }
        .max { [accounts] in accounts[$0].credits < accounts[$1].credits }
      guard let first, pay(at: first) else { return }
      granted.insert(accounts[first].waiting.removeFirst().number)
      waitingCount -= 1
    }
  }

  /// One that is not expected back keeps a credit, so that it need not begin anew, and later none.
  private mutating func closeIdle(now: MonotonicInstant) {
    for place in accounts.indices where accounts[place].credits > 1 && !accounts[place].isExpected(now: now) {
      credited -= accounts[place].credits - 1
      accounts[place].credits = 1
    }
    let count = accounts.count
    accounts.removeAll { $0.isIdle(now: now) }
    guard accounts.count < count else { return }
    // Summed anew, so that rounding does not gather.
    totalWeight = accounts.reduce(0) { $0 + $1.weight }
    credited = accounts.reduce(0) { $0 + $1.credits }
  }
}
