internal import OpenSSLCrypto
package import Primitives
internal import RateLimiting
internal import RedisWire
package import SharedLimits
package import Transport

/// One loop's connection to the store.
///
///     starting ── connected ──► up ── anything is wrong ──► down ── connected ──► up
///         └────── cannot connect ──────────────────────────► ▲
///
/// Questions of one turn of the loop are one call of the script. While the store is down, nobody waits for it: the connection
/// is tried anew in the background, with pauses that grow, and only one over which the script has run counts. A question that
/// is not answered in time ends the connection, since those behind it would not be, either.
///
/// `@unchecked Sendable`: it is touched only by its loop's thread; others spawn a task there.
package final class StoreClient: @unchecked Sendable {
  let loop: EventLoop
  private let worker: Int
  private let gateway: [UInt8]
  private let leasePrefix: [UInt8]
  private let resolver: Resolver
  let health: StoreHealth
  private let entropy: any Entropy
  var record: (Int64) -> Void = { _ in }
  var settings: StoreSettings
  private var link: StoreLink?
  /// Whether the first attempt to connect is still under way.
  private var isStarting = true
  /// What is to be sent at the end of this turn, and how much of it has been.
  var out = ByteBuffer()
  private var sent = 0
  var expected = ExpectedReplies()
  /// What is asked in this turn, to be sent at its end, and by whom.
  private var call = DecisionCall()
  private var questions: [StoreQuestion] = []
  /// Asked before there was a connection.
  private var early: [StoreQuestion] = []
  private var leases = HeldLeases()
  /// Leases that ended, or may have begun, without the store being told.
  private var untold: [SharedLease] = []
  private var lastLease: UInt64 = 0
  private var lastBeat: Int64 = 0
  private var isTimed = false
  var isScriptComing = false
  /// Why the connection that was there is to be given up.
  private var failure: StoreFailure?

  /// Nanoseconds between signs of life, and after which a lease is renewed: both several times within what they are for.
  private static let beatEvery: Int64 = 1_000_000_000
  private static let renewAfter: Int64 = 2_500_000_000
  private static let mostRenewals = 2000
  private static let mostUntold = 10_000
  /// What may wait to be sent; no store that answers in time lets it come to that.
  private static let mostUnsent = 8 << 20
  /// A connection that lasted so long was a good one.
  private static let steadyAfter: Int64 = 5_000_000_000

  /// - Parameters:
  ///   - gateway: a name that no other gateway has.
  package init(
    _ settings: StoreSettings, worker: Int, gateway: String, on loop: EventLoop, resolver: Resolver,
    health: StoreHealth, entropy: any Entropy
  ) {
    self.settings = settings
    self.worker = worker
    self.gateway = Array(gateway.utf8)
    leasePrefix = Array("\(gateway).\(worker).".utf8)
    self.loop = loop
    self.resolver = resolver
    self.health = health
    self.entropy = entropy
  }

  /// Connects, and goes on connecting. To be called on the loop, once.
  /// - Parameter record: told how many nanoseconds each decision took.
  package func start(record: @escaping (Int64) -> Void) {
    self.record = record
    loop.onTurnEnd { [self] in flush() }
    loop.onTick { [self] in beat() }
    loop.spawn { [self] in await run() }
  }
}

// What requests ask.
extension StoreClient {
  /// Whether it is worth asking.
  package var isUp: Bool { isStarting || link != nil }

  /// - Returns: `nil` when the store does not decide; no later than its timeout.
  package func decide(_ buckets: [SharedBucket], lease: SharedLease?) async -> SharedDecision? {
    guard isUp else { return nil }
    return await withUnsafeContinuation { ask(about: buckets, lease, from: .request($0)) }
  }

  /// What became of a request that waits for its turn in a budget.
  /// - Returns: `nil` when the store does not say; no later than its timeout.
  package func look(_ bucket: SharedBucket, ticket: Int64) async -> BucketDecision? {
    guard isUp else { return nil }
    return await withUnsafeContinuation { ask(about: [bucket], nil, ticket: ticket, from: .request($0)) }?[0]
  }

  /// Counts a request that does not wait for the decision; `told` gets it when it comes.
  package func tell(_ buckets: [SharedBucket], told: @escaping (SharedDecision?) -> Void) {
    guard isUp else { return told(nil) }
    ask(about: buckets, nil, from: .nobody(told))
  }

  private func ask(
    about buckets: [SharedBucket], _ lease: SharedLease?, ticket: Int64? = nil,
    from asker: StoreQuestion.Asker
  ) {
    let now = loop.turnBegan.nanoseconds
    let question = StoreQuestion(
      about: buckets, lease, ticket: ticket, askedAt: now, deadline: now + settings.timeout, from: asker)
    if isStarting { early.append(question) } else { ask(question) }
    time(until: question.deadline)
  }

  /// A name for a request in flight, for `decide` to ask for.
  package func lease(of key: StoreKey) -> SharedLease {
    lastLease += 1
    var name: [UInt8] = []
    name.reserveCapacity(leasePrefix.count + 20)
    name += leasePrefix
    name.append(decimal: UInt(lastLease))
    return SharedLease(key: key, name: name)
  }

  /// The request is in flight, whether the store said so or could not: it is told again and again.
  package func hold(_ lease: SharedLease) { leases.insert(lease, now: loop.turnBegan.nanoseconds) }

  /// It is no longer.
  package func release(_ lease: SharedLease) {
    guard leases.remove(lease) else { return }
    tellReleased(lease)
  }

  /// A turn in a budget was not used.
  package func giveBack(_ bucket: SharedBucket) {
    guard let link, case .budget(let quota) = bucket.limit.kind, let tenant = bucket.wish?.tenant else {
      return
    }
    send(.giveBack(key: bucket.key, quota, tenant), expecting: .done, over: link)
  }

  /// Upstream answered 429.
  package func throttled(_ key: StoreKey, _ quota: SharedQuota) {
    guard let link else { return }
    send(.throttled(key: key, quota), expecting: .done, over: link)
  }

  /// The store is told at the end of the turn, or once it is there.
  private func tellReleased(_ lease: SharedLease) {
    guard link != nil || untold.count < Self.mostUntold else { return }
    untold.append(lease)
  }

  /// With one command a key.
  private func sendReleases(over link: StoreLink) {
    while let first = untold.first {
      let names = untold.compactMap { $0.key == first.key ? $0.name : nil }
      untold.removeAll { $0.key == first.key }
      send(.release(key: first.key, leases: names), expecting: .done, over: link)
    }
  }

  func ask(_ question: StoreQuestion) {
    guard let link else { return question.end(nil) }
    if let ticket = question.ticket { return look(question, ticket, over: link) }
    let lease = question.lease?.name ?? []
    if !call.add(question.buckets, lease: lease) {
      endCall(over: link)
      guard call.add(question.buckets, lease: lease) else { return question.end(nil) }
    }
    questions.append(question)
  }

  /// What has been asked in this turn goes with one call.
  func endCall(over link: StoreLink) {
    guard let first = questions.first else { return }
    call.move(to: &out, keys: settings.keys, script: link.script)
    expected.append(.decisions(questions), by: first.deadline)
    questions = []
  }

  private func look(_ question: StoreQuestion, _ ticket: Int64, over link: StoreLink) {
    let bucket = question.buckets[0]
    guard case .budget(let quota) = bucket.limit.kind, let tenant = bucket.wish?.tenant else {
      return question.end(nil)
    }
    let command = LimitCommand.look(key: bucket.key, quota, tenant, ticket: ticket)
    send(command, expecting: .look(question), by: question.deadline, over: link)
  }

  private func send(
    _ command: LimitCommand, expecting kind: ExpectedReply.Kind, by deadline: Int64? = nil,
    over link: StoreLink
  ) {
    command.append(to: &out, keys: settings.keys, script: link.script)
    let deadline = deadline ?? loop.turnBegan.nanoseconds + settings.timeout
    expected.append(kind, by: deadline)
    time(until: deadline)
  }
}

// Time.
extension StoreClient {
  /// Sees to it that nobody waits beyond `deadline`; those that ask later have later ones.
  private func time(until deadline: Int64) {
    guard !isTimed else { return }
    isTimed = true
    loop.call(after: deadline - loop.clock.monotonic().nanoseconds) { [self] in
      isTimed = false
      expire(now: loop.clock.monotonic().nanoseconds)
    }
  }

  private func expire(now: Int64) {
    if let first = early.first {
      guard first.deadline <= now else { return time(until: first.deadline) }
      // Whoever asked later asked for the same connection.
      endEarly()
    }
    guard let first = expected.first else { return }
    guard first.deadline <= now else { return time(until: first.deadline) }
    giveUp(.silent(settings.timeout))
  }

  private func endEarly() {
    let questions = early
    early = []
    for question in questions { question.end(nil) }
  }

  private func beat() {
    let now = loop.turnBegan
    if worker == 0 { health.check(now: now) }
    guard let link, now.nanoseconds - lastBeat >= Self.beatEvery else { return }
    lastBeat = now.nanoseconds
    send(sign(renewing: now.nanoseconds - Self.renewAfter), expecting: .gateways, over: link)
  }

  private func sign(renewing time: Int64) -> LimitCommand {
    let now = loop.turnBegan.nanoseconds
    return .beat(gateway: gateway, leases: leases.renew(before: time, now: now, most: Self.mostRenewals))
  }
}

// The connection.
extension StoreClient {
  private func run() async {
    let pauses = Backoff(baseNanoseconds: 50_000_000, capNanoseconds: 1_000_000_000)
    var retries = 0
    while true {
      let lasted = await connectOnce()
      if lasted > Self.steadyAfter { retries = 0 }
      await loop.sleep(nanoseconds: pauses.delay(retry: retries, entropy: entropy))
      retries += 1
    }
  }

  /// - Returns: nanoseconds that the connection lasted.
  // Inlined into the loop, Swift 6.3.1's optimiser does not come to an end with it.
  @inline(never)
  private func connectOnce() async -> Int64 {
    var connectedAt = loop.clock.monotonic().nanoseconds
    do throws(StoreFailure) {
      let connector = StoreConnector(settings: settings, resolver: resolver, loop: loop)
      let (link, gateways) = try await connector.connect(sign(renewing: .max))
      connectedAt = loop.clock.monotonic().nanoseconds
      begin(link, gateways)
      try await serve(link)
    } catch {
      end(failure ?? error)
      failure = nil
    }
    return loop.clock.monotonic().nanoseconds - connectedAt
  }

  private func begin(_ new: StoreLink, _ gateways: Int) {
    link = new
    isStarting = false
    lastBeat = loop.turnBegan.nanoseconds
    health.saw(gateways: gateways)
    health.connected(worker, now: loop.turnBegan)
    let questions = early
    early = []
    for question in questions { ask(question) }
  }

  /// Takes replies for as long as the connection lasts.
  private func serve(_ link: StoreLink) async throws(StoreFailure) {
    while true {
      let now = loop.clock.monotonic()
      try link.forEachReply { (reply) throws(StoreFailure) in try take(reply, from: link, now: now) }
      if let failure { throw failure }
      try await link.waitForMore()
    }
  }

  private func flush() {
    guard let link else { return }
    endCall(over: link)
    sendReleases(over: link)
    guard !out.isEmpty else { return }
    do throws(TransportError) {
      sent = try link.stream.writeAvailable(out, from: sent)
    } catch {
      return giveUp(.lost(error))
    }
    if sent == out.count {
      out.removeAll()
      sent = 0
    } else if out.count - sent > Self.mostUnsent {
      giveUp(.silent(settings.timeout))
    }
  }

  /// Nobody waits for this connection any more; who reads from it finds it closed.
  private func giveUp(_ reason: StoreFailure) {
    failure = reason
    end(reason)
  }

  private func end(_ reason: StoreFailure) {
    isStarting = false
    endEarly()
    link?.stream.close()
    link = nil
    health.failed(worker, reason, now: loop.turnBegan)
    isScriptComing = false
    out.removeAll()
    sent = 0
    while let reply = expected.popFirst() {
      switch reply.kind {
      case .decisions(let questions): lose(questions)
      case .look(let question): lose([question])
      case .gateways, .script, .done: break
      }
    }
    call.removeAll()
    lose(questions)
    questions = []
  }

  /// There will be no answer.
  func lose(_ questions: some Sequence<StoreQuestion>) {
    for question in questions {
      // It may have been granted.
      if let lease = question.lease, untold.count < Self.mostUntold { untold.append(lease) }
      question.end(nil)
    }
  }
}

// A reload.
extension StoreClient {
  /// Takes another password, other authorities or another timeout. What is connected stays so, and signs in anew.
  package func change(to new: StoreSettings) {
    settings = new
    guard link != nil, new.password != nil else { return }
    out.append(authenticationOf: new)
    expected.append(.done, by: loop.turnBegan.nanoseconds + new.timeout)
    time(until: loop.turnBegan.nanoseconds + new.timeout)
  }
}
