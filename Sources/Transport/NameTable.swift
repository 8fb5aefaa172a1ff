/// What is known of names, and which of them are being looked up: the resolver's decisions without its threads.
///
/// glibc does not tell an answer's time to live, so an answer is used for `freshness` without a question, for `usability`
/// while a new one is fetched behind it, and after that for as long as no name server answers: whoever moves a service
/// leaves the old address in place for longer, and a certificate proves whom one has reached.
///
/// It changes only by its methods, each of which says what is to be done as a value; `Resolver` does it.
struct NameTable<Waiter> {
  typealias Addresses = [SocketAddress.Host]

  /// What somebody who asks for a name gets.
  enum Verdict {
    case use(Addresses)
    case failed(NameFailure)
    /// To wait under this number for a lookup to end.
    case wait(Ticket)
  }

  struct Ticket: Hashable {
    let name: String
    let number: Int
  }

  struct Step {
    let verdict: Verdict
    /// A lookup is to be begun, and `ended` to be called when it is over.
    let begins: Bool
  }

  private struct Entry {
    var known: (addresses: Addresses, at: Int64)?
    var failed: (failure: NameFailure, at: Int64)?
    /// Lookups under way, and when the latest began.
    var running = 0
    var begunAt = Int64.min
    var waiters: [Int: Waiter] = [:]
  }

  /// By name. Names come from the configuration, so they are few.
  private var entries: [String: Entry] = [:]
  private var running = 0
  private var lastTicket = 0

  /// Nanoseconds, like those below: short enough to follow a service that moves its name, long enough to ask seldom.
  static var freshness: Int64 { 10_000_000_000 }
  static var usability: Int64 { 60_000_000_000 }
  /// How long a failure is told to all without another question.
  static var failureFreshness: Int64 { 1_000_000_000 }
  /// How long one waits for a new answer who has an old one.
  static var patienceWithAnOldAnswer: Int64 { 1_000_000_000 }
  /// A lookup keeps to the name servers that it began with. When one takes longer than this, another is begun, which may
  /// know better ones.
  static var secondLookupAfter: Int64 { 3_000_000_000 }
  /// Lookups cannot be ended from outside, only left alone.
  static var mostForAName: Int { 3 }
  static var mostInAll: Int { 6 }

  /// - Parameter makeWaiter: called when the asker is to wait; it is handed back by `ended`.
  mutating func ask(_ name: String, now: Int64, _ makeWaiter: () -> Waiter) -> Step {
    var entry = entries[name] ?? Entry()
    defer { entries[name] = entry }
    if let known = entry.known, now - known.at < Self.freshness {
      return Step(verdict: .use(known.addresses), begins: false)
    }
    if let failed = entry.failed, now - failed.at < Self.failureFreshness {
      return Step(
        verdict: entry.known.map { .use($0.addresses) } ?? .failed(failed.failure), begins: false)
    }
    let begins = mayBegin(entry, now: now)
    if begins {
      running += 1
      entry.running += 1
      entry.begunAt = now
    }
    if let known = entry.known, now - known.at < Self.usability || entry.running == 0 {
      return Step(verdict: .use(known.addresses), begins: begins)
    }
    guard entry.running > 0 else { return Step(verdict: .failed(.tooManyLookups), begins: false) }
    lastTicket += 1
    entry.waiters[lastTicket] = makeWaiter()
    return Step(verdict: .wait(Ticket(name: name, number: lastTicket)), begins: begins)
  }

  private func mayBegin(_ entry: Entry, now: Int64) -> Bool {
    guard running < Self.mostInAll, entry.running < Self.mostForAName else { return false }
    return entry.running == 0 || now - entry.begunAt >= Self.secondLookupAfter
  }

  /// The answer that a waiter can fall back on.
  func known(_ name: String) -> Addresses? { entries[name]?.known?.addresses }

  /// The waiter has given up.
  mutating func leave(_ ticket: Ticket) { entries[ticket.name]?.waiters[ticket.number] = nil }

  /// A lookup of `name` that began at `begun` is over.
  /// - Returns: who waits for it, and what all of them get.
  mutating func ended(
    _ name: String, _ result: Result<Addresses, NameFailure>, begun: Int64, now: Int64
  ) -> (told: [Waiter], result: Result<Addresses, NameFailure>) {
    var entry = entries[name] ?? Entry()
    defer { entries[name] = entry }
    running -= 1
    entry.running -= 1
    let told = Array(entry.waiters.values)
    entry.waiters = [:]
    switch result {
    case .success(let addresses):
      entry.known = (addresses, now)
      entry.failed = nil
      return (told, result)
    case .failure(let failure):
      // A later lookup has done better.
      if let known = entry.known, known.at >= begun { return (told, .success(known.addresses)) }
      if failure.isFinal { entry.known = nil }
      entry.failed = (failure, now)
      return (told, entry.known.map { .success($0.addresses) } ?? result)
    }
  }
}

/// Why a name has no addresses.
enum NameFailure: Error, Sendable, Hashable {
  /// The name servers say that there is no such name, or that it has no addresses.
  case unknown(String)
  /// They cannot be asked, or do not answer.
  case unavailable(String)
  /// Lookups that do not end have taken all there are.
  case tooManyLookups

  /// Whether it is an answer, which makes an earlier one wrong.
  var isFinal: Bool { if case .unknown = self { true } else { false } }

  var reason: String {
    switch self {
    case .unknown(let text), .unavailable(let text): text
    case .tooManyLookups: "earlier lookups have not ended"
    }
  }
}
