package import Primitives

/// The account's own quota upstream, shared by all tenants: a rate with a burst.
///
/// Tokens bound the whole: they come at the rate, up to the burst, and each request costs one. While there are enough for
/// everybody nothing else counts: whoever asks gets one.
///
/// When somebody asks and there is none, there are more requests than budget, and shares begin to count. Such a tenant gets
/// an account (`BudgetAccount`), and what comes in is credited to the accounts by weight, to none more than it asks for;
/// the rest stays free for all. A tenant pays with its credits, or with tokens that are nobody's credit; and a token that
/// is there while nobody has a whole one goes to whoever asks, who owes the rest. So one that asks little finds its token
/// however much another asks, and nothing is held for a tenant that was never short of any: an account ends soon after its
/// tenant stopped asking.
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
  /// What came in and is not divided yet, and what of it found the burst there already.
  private var undivided = 0.0
  private var unused = 0.0
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
      accounts[place].keep(until: now, after: wait)
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
      accounts[place].keep(until: now, after: wait)
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
    if accounts.isEmpty {
      (undivided, unused, divided) = (0, 0, now)
    }
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

  /// Takes a token for the tenant: one that is its own, or one that is nobody's.
  private mutating func pay(at place: Int) -> Bool {
    guard tokens >= Self.one else { return false }
    let isOwn = accounts[place].credits >= Self.one
    if isOwn || free < Self.one {
      guard isOwn || mayBorrow(at: place) else { return false }
      credit(-1, at: place)
    }
    tokens -= 1
    return true
  }

  /// Whether a token that is there is nobody's as a whole. Who owes already borrows no more.
  private func mayBorrow(at place: Int) -> Bool {
    accounts[place].credits >= -1e-6 && !accounts.contains { $0.credits >= Self.one }
  }

  private mutating func credit(_ amount: Double, at place: Int) {
    let before = accounts[place].credits
    accounts[place].credits = min(before + amount, max(before, most(at: place)))
    credited += accounts[place].credits - before
  }

  /// No more than the tenant asks for, and no more than its share of the burst; but one, or a tenant among many could
  /// never pay for a request.
  private func most(at place: Int) -> Double {
    let account = accounts[place]
    return max(1, min(burst * account.weight / totalWeight, Double(account.demand)))
  }

  /// Nanoseconds until a request has its turn behind so many others of its tenant, if all accounts go on asking.
  private func wait(behind others: Int, at place: Int) -> Int64 {
    let account = accounts[place]
    let own = (Double(others + 1) - account.credits) / (rate * account.weight / totalWeight)
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
    let sum = tokens + income
    tokens = min(burst, sum)
    guard !accounts.isEmpty else { return }
    undivided += income
    unused += sum - tokens
    let isDue = undivided >= Self.divideFrom || now.nanoseconds(since: divided) >= Self.divideEvery
    if isDue { divide(now: now) }
  }

  private mutating func divide(now: MonotonicInstant) {
    closeIdle(now: now)
    share(undivided - unused)
    if unused > 0 { expire(unused) }
    (undivided, unused, divided) = (0, 0, now)
    serveWaiting()
  }

  /// Divides what came in by weight between those that want more than they have.
  private mutating func share(_ income: Double) {
    var left = income
    while left > 1e-9 {
      var weight = 0.0
      for place in accounts.indices where accounts[place].credits < most(at: place) {
        weight += accounts[place].weight
      }
      guard weight > 0 else { return }
      let part = left / weight
      for place in accounts.indices where accounts[place].credits < most(at: place) {
        let before = credited
        credit(part * accounts[place].weight, at: place)
        left -= credited - before
      }
    }
  }

  /// What nobody used in time is nobody's any more.
  private mutating func expire(_ amount: Double) {
    let held = accounts.reduce(0) { $0 + max(0, $1.credits) }
    guard held > 0 else { return }
    let kept = max(0, held - amount) / held
    for place in accounts.indices where accounts[place].credits > 0 { accounts[place].credits *= kept }
    credited -= held * (1 - kept)
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

  private mutating func closeIdle(now: MonotonicInstant) {
    let count = accounts.count
    accounts.removeAll { $0.isIdle(now: now) }
    guard accounts.count < count else { return }
    // Summed anew, so that rounding does not gather.
    totalWeight = accounts.reduce(0) { $0 + $1.weight }
    credited = accounts.reduce(0) { $0 + $1.credits }
  }
}
