package import Configuration
package import CredentialSources
internal import OpenSSLCrypto
internal import Primitives
package import SigV4
internal import Synchronization
package import Transport

// The one switch that does what the machine says.
extension CredentialKeeper {
  /// Asks the machine what is due. Any thread may call it.
  func step(_ entry: Entry) {
    let (now, wall) = (clock.monotonic(), clock.wallClock())
    let identity = entry.identity
    let (action, timer) = identity.state.withLock { state -> (RefreshMachine.Action, Int) in
      guard state.isStarted, !state.isRetired else { return (.rest, 0) }
      if identity.tenant != nil, let end = state.held?.end, end <= wall { identity.drop(&state) }
      let isWanted = identity.tenant == nil || state.lastUse > state.obtainedAt
      let action = state.machine.next(now: now, wall: wall, isWanted: isWanted)
      state.timer += 1
      return (action, state.timer)
    }
    switch action {
    case .rest: break
    case .wait(let nanoseconds):
      guard let loop = loop() else { return }
      loop.spawn { [self] in
        loop.call(after: nanoseconds) { [self] in
          if identity.state.withLock({ $0.timer == timer }) { step(entry) }
        }
      }
    case .attempt:
      guard let loop = loop() else { return ended(entry, .failure(.process("cannot be asked: no thread"))) }
      loop.spawn { [self] in
        let result: Result<Credentials, CredentialFailure>
        do throws(CredentialFailure) {
          result = .success(try await fetch(entry, on: loop))
        } catch {
          result = .failure(error)
        }
        ended(entry, result)
      }
    }
  }

  private func fetch(_ entry: Entry, on loop: EventLoop) async throws(CredentialFailure) -> Credentials {
    let fetcher = CredentialFetcher(
      loop: loop, resolver: resolver, programs: programs, surroundings: surroundings, region: entry.region,
      stsEndpoint: entry.stsEndpoint)
    let (credentials, who): (Credentials, String)
    switch entry.origin {
    case .settings(let settings):
      let plan = try CredentialPlanner.plan(settings, surroundings.reader)
      let origin = plan.origin.rawValue
      entry.identity.state.withLock { $0.status.source = origin }
      (credentials, who) = (try await fetcher.fetch(plan), "the source `\(origin)`")
    case .role(let role):
      guard let own = usableOwn() else { throw .noOwnCredentials }
      (credentials, who) = (try await fetcher.assume(role, with: own), "STS")
    }
    if let end = credentials.expiration, end <= clock.wallClock() { throw .ended(who) }
    return credentials
  }

  private func usableOwn() -> Credentials? {
    guard let held = state.withLock({ $0.inForce?.gateway })?.inForce.held else { return nil }
    if let end = held.end, end <= clock.wallClock() { return nil }
    return held.signers.first.credentials
  }

  private func ended(_ entry: Entry, _ result: Result<Credentials, CredentialFailure>) {
    let (now, wall) = (clock.monotonic(), clock.wallClock())
    let identity = entry.identity
    var events: [Event] = []
    let waiters = identity.state.withLock { state -> [LoopWaiter<Bool>] in
      switch result {
      case .success(let credentials):
        let isFirst = state.held == nil
        let notice = state.machine.succeeded(end: credentials.expiration, wall: wall, entropy: entropy)
        identity.put(credentials, &state, now: now, wall: wall)
        if notice == .recovered {
          events.append(
            .recovered(
              tenant: identity.tenant, after: now.nanoseconds(since: state.failingSince ?? now)))
        }
        if isFirst, identity.tenant == nil { events.append(.supplied) }
      case .failure(let failure):
        state.status.problem = "\(failure)"
        if state.machine.failed(now: now, entropy: entropy) == .failing {
          state.failingSince = now
          let isUsable = state.held.map { held in held.end.map { $0 > wall } ?? true } ?? false
          events.append(.failing(tenant: identity.tenant, isHeld: isUsable, problem: "\(failure)"))
        }
      }
      defer { state.waiters = [] }
      return state.waiters
    }
    if case .success = result, identity.tenant != nil { makeRoom(for: identity) }
    let report = report.withLock { $0 }
    for event in events { report(event) }
    let isGood = if case .success = result { true } else { false }
    for waiter in waiters { waiter.finish(isGood) }
    step(entry)
  }

  private func makeRoom(for identity: SigningIdentity) {
    let surplus = state.withLock { state -> SigningIdentity? in
      state.live.removeAll { $0 === identity || $0.inForce.held == nil }
      state.live.append(identity)
      guard state.live.count > Self.mostSessions else { return nil }
      return state.live.min { one, other in
        one.state.withLock { $0.lastUse } < other.state.withLock { $0.lastUse }
      }
    }
    guard let surplus else { return }
    surplus.state.withLock { state in
      surplus.drop(&state)
      state.machine = RefreshMachine(isLazy: true)
    }
  }
}

// What requests ask for.
extension CredentialKeeper {
  /// Has credentials asked for anew, unless somebody has done so since `signer` was taken, and waits for them.
  ///
  /// - Parameters:
  ///   - signer: what upstream refused as expired; `nil`: there was none.
  ///   - nanoseconds: how long the request can wait.
  /// - Returns: whether there are others now.
  package func refresh(
    _ identity: SigningIdentity, replacing signer: Signer?, on loop: EventLoop, within nanoseconds: Int64
  ) async -> Bool {
    guard let entry = entry(of: identity) else { return false }
    let waiter = LoopWaiter<Bool>()
    let (now, wall) = (clock.monotonic(), clock.wallClock())
    let demand = identity.state.withLock { state -> RefreshMachine.Demand? in
      guard !state.isRetired else { return .tooSoon }
      if let held = state.held, !held.signers.all.contains(where: { $0 === signer }),
        held.end.map({ $0 > wall }) ?? true
      {
        return nil
      }
      let demand = state.machine.demand(now: now, isRefused: signer != nil)
      if demand != .tooSoon { state.waiters.append(waiter) }
      return demand
    }
    switch demand {
    case nil: return true
    case .tooSoon: return false
    case .begins: step(entry)
    case .joins: break
    }
    return await waiter.result(on: loop, within: nanoseconds) ?? false
  }

  /// What upstream said to what `refresh` brought.
  package func noteFresh(_ identity: SigningIdentity, refused: Bool) {
    let now = clock.monotonic()
    identity.state.withLock { $0.machine.noteFresh(refused: refused, now: now, entropy: entropy) }
  }

  /// Returns when the first attempt of what is about to be put in force has ended, or after `nanoseconds`.
  package func firstAttempt(of identities: Identities, on loop: EventLoop, within nanoseconds: Int64) async {
    let identity = identities.gateway
    let waiter = LoopWaiter<Bool>()
    let mustWait = identity.state.withLock { state in
      guard state.held == nil, !state.isStarted else { return false }
      state.isStarted = true
      state.waiters.append(waiter)
      return true
    }
    guard mustWait else { return }
    step(identities.own)
    _ = await waiter.result(on: loop, within: nanoseconds)
  }

  private func entry(of identity: SigningIdentity) -> Entry? {
    state.withLock { state in
      guard let inForce = state.inForce else { return nil }
      if inForce.gateway === identity { return inForce.own }
      return identity.tenant.flatMap { inForce.sessions[$0] }.flatMap { $0.identity === identity ? $0 : nil }
    }
  }
}

extension CredentialKeeper {
  /// The gateway's credentials, asked for once, for a command.
  package static func once(
    for upstream: GatewayConfiguration.Upstream, _ surroundings: CredentialSurroundings, on loop: EventLoop
  ) async -> Result<Credentials, CredentialFailure> {
    let fetcher = CredentialFetcher(
      loop: loop, resolver: Resolver(), programs: ProgramRunner(), surroundings: surroundings,
      region: upstream.region, stsEndpoint: upstream.credentials.stsEndpoint)
    do throws(CredentialFailure) {
      let plan = try CredentialPlanner.plan(upstream.credentials, surroundings.reader)
      return .success(try await fetcher.fetch(plan))
    } catch {
      return .failure(error)
    }
  }
}
