package import Primitives

/// The account's own quota upstream, shared by all tenants: a rate with a burst, whose use is divided
/// by the tenants' weights while they compete and free for whoever asks while they do not.
///
/// Two things are counted. Tokens bound the whole: they come at the rate, up to the burst, and each
/// request costs one. Credits divide them: the same income is credited to the tenants that asked
/// lately, by weight, each up to a cap. A tenant pays with its credits, or, when it has none left, with
/// tokens that are nobody's credit. So a busy tenant gets what others leave unused, and a tenant below
/// its share finds its tokens there however busy the others are.
///
/// With `adaptive`, each second in which upstream throttles halves the rate (not below a twentieth), and
/// each second without gives a tenth of the configured rate back.
package struct UpstreamBudget: Sendable {
  package enum Turn: Sendable, Hashable {
    /// Send it after so many nanoseconds; it is paid for already.
    case granted(delay: Int64)
    case refused(retryAfter: Int64)
  }

  private struct Account: BitwiseCopyable, Sendable {
    /// The tenant's number.
    let tenant: Int
    var weight: Double
    /// Below 0 while requests wait for their turn.
    var credits: Double
    var lastAsked: MonotonicInstant
  }

  private let configuredRate: Double
  private let burst: Double
  private var adaptation: RateAdaptation?
  /// Below 0 while requests wait for their turn.
  private var tokens: Double
  /// Of the tenants that asked lately, in no order.
  private var accounts: [Account] = []
  /// By tenant number: its account's place in `accounts` and one more, 0 for none.
  private var places: [Int32] = []
  private var totalWeight = 0.0
  /// The sum of all credits above 0.
  private var credited = 0.0
  private var refilled: MonotonicInstant

  /// A tenant counts as active for so long after it asked: time for SDK retries to come back.
  private static let activeFor: Int64 = 3_000_000_000
  /// Crediting looks at every active tenant, so it is not done for every request.
  private static let refillEvery: Int64 = 2_000_000

  package init(requestsPerSecond: Double, burst: Int, adaptive: Bool, now: MonotonicInstant) {
    configuredRate = max(requestsPerSecond, 1e-6)
    self.burst = Double(max(1, burst))
    adaptation = adaptive ? RateAdaptation(now: now) : nil
    tokens = self.burst
    refilled = now
  }

  /// Requests per second at present.
  package var rate: Double { configuredRate * (adaptation?.factor ?? 1) }

  /// Asks for one request's turn.
  /// - Parameters:
  ///   - tenant: its number, small and not negative (see `TenantMeter`).
  ///   - weight: above 0; the tenant's own rate, or the budget's for a tenant without one.
  ///   - queueFor: nanoseconds the request may wait for its turn.
  package mutating func ask(
    _ tenant: Int, weight: Double, queueFor: Int64, now: MonotonicInstant
  ) -> Turn {
    adaptation?.advance(now: now)
    refill(now: now)
    let place = activate(tenant, weight: weight, now: now)
    var account = accounts[place]
    let takesFree = account.credits < 1 && tokens - credited >= 1
    let share = rate * account.weight / totalWeight
    let forCredit = takesFree ? 0 : Self.wait(for: 1 - account.credits, at: share)
    let wait = max(forCredit, Self.wait(for: 1 - tokens, at: rate))
    let isGranted = wait <= max(0, queueFor)
    if isGranted {
      tokens -= 1
      if !takesFree { add(-1, to: &account) }
    }
    accounts[place] = account
    return isGranted ? .granted(delay: wait) : .refused(retryAfter: wait)
  }

  /// Gives back the turn of a request that was never sent.
  package mutating func giveBack(_ tenant: Int) {
    tokens = min(burst, tokens + 1)
    guard let place = place(of: tenant) else { return }
    var account = accounts[place]
    add(1, to: &account)
    accounts[place] = account
  }

  /// Upstream answered 429.
  package mutating func throttled(now: MonotonicInstant) {
    // What came in so far came in at the rate until now.
    refill(now: now)
    adaptation?.throttled(now: now)
  }

  /// Nanoseconds until `amount` has come in at `rate` a second.
  private static func wait(for amount: Double, at rate: Double) -> Int64 {
    // What rounding leaves of a whole one is none.
    amount <= 1e-6 ? 0 : Int64(min(amount / rate * 1e9, 9e18).rounded(.up))
  }

  /// At least one, or a tenant among many could never pay for a request.
  private func cap(_ weight: Double) -> Double { max(1, burst * weight / totalWeight) }

  private mutating func add(_ amount: Double, to account: inout Account) {
    let before = max(0, account.credits)
    account.credits += amount
    credited += max(0, account.credits) - before
  }

  private func place(of tenant: Int) -> Int? {
    tenant < places.count && places[tenant] > 0 ? Int(places[tenant]) - 1 : nil
  }

  /// The place of the tenant's account, which it gets now if it has none.
  private mutating func activate(_ tenant: Int, weight: Double, now: MonotonicInstant) -> Int {
    let weight = weight > 0 && weight.isFinite ? weight : configuredRate
    if let place = place(of: tenant) {
      totalWeight += weight - accounts[place].weight
      accounts[place].weight = weight
      accounts[place].lastAsked = now
      return place
    }
    totalWeight += weight
    // The others' caps are lower now; what they hold above them is free for the one that comes.
    credit(income: 0)
    var account = Account(tenant: tenant, weight: weight, credits: 0, lastAsked: now)
    add(min(cap(weight), max(0, tokens - credited)), to: &account)
    if tenant >= places.count {
      places.append(contentsOf: repeatElement(0, count: tenant + 1 - places.count))
    }
    accounts.append(account)
    places[tenant] = Int32(accounts.count)
    return accounts.count - 1
  }

  private mutating func refill(now: MonotonicInstant) {
    let elapsed = now.nanoseconds(since: refilled)
    guard elapsed >= Self.refillEvery else { return }
    let income = rate * Double(elapsed) / 1e9
    refilled = now
    tokens = min(burst, tokens + income)
    dropIdle(now: now)
    credit(income: income)
  }

  /// Divides `income` between the active tenants.
  private mutating func credit(income: Double) {
    credited = 0
    for index in accounts.indices {
      let account = accounts[index]
      let credits = min(
        account.credits + income * account.weight / totalWeight, cap(account.weight))
      accounts[index].credits = credits
      credited += max(0, credits)
    }
  }

  private mutating func dropIdle(now: MonotonicInstant) {
    var index = 0
    var isChanged = false
    while index < accounts.count {
      let account = accounts[index]
      guard now.nanoseconds(since: account.lastAsked) >= Self.activeFor else {
        index += 1
        continue
      }
      isChanged = true
      places[account.tenant] = 0
      // The last one takes the place.
      let last = accounts.removeLast()
      guard index < accounts.count else { break }
      accounts[index] = last
      places[last.tenant] = Int32(index + 1)
    }
    guard isChanged else { return }
    // Summed anew, so that rounding does not gather.
    totalWeight = accounts.reduce(0) { $0 + $1.weight }
  }
}

/// Additive increase, multiplicative decrease of a rate, as a factor of the configured one.
struct RateAdaptation: Sendable {
  private(set) var factor = 1.0
  private var lastDecrease: MonotonicInstant?
  private var lastStep: MonotonicInstant

  private static let step: Int64 = 1_000_000_000
  private static let decrease = 0.5
  private static let increase = 0.1
  private static let least = 0.05

  init(now: MonotonicInstant) { lastStep = now }

  /// Throttles of one second are answers to one excess; only the first lowers the rate.
  mutating func throttled(now: MonotonicInstant) {
    lastStep = now
    if let last = lastDecrease, now.nanoseconds(since: last) < Self.step { return }
    lastDecrease = now
    factor = max(Self.least, factor * Self.decrease)
  }

  /// Takes the steps up that are due since the last throttle or step.
  mutating func advance(now: MonotonicInstant) {
    let steps = now.nanoseconds(since: lastStep) / Self.step
    guard steps > 0 else { return }
    lastStep = lastStep.advanced(byNanoseconds: steps * Self.step)
    factor = min(1, factor + Self.increase * Double(steps))
  }
}
