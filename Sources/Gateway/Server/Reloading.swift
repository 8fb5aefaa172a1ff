package import Admin
internal import AuditShipping
internal import AuditStore
internal import Configuration
internal import CredentialSupply
internal import LimitStore
internal import Logging
internal import Primitives
internal import ServiceManager
internal import Transport

extension GatewayServer {
  /// Loads everything anew and hands it to the workers, each of which takes it between two requests. Of several that
  /// are asked for, the last one's files are in force in the end.
  package func reload() async -> ReloadResult {
    await reloader.inTurn { [self] in
      tell(.reloading(at: clock.monotonic()))
      let result = await reloadNow()
      // Of one that stops it is not said that it serves.
      if drainEnd == nil { tell(.ready(status: serviceStatus(after: result))) }
      return result
    }
  }

  private func reloadNow() async -> ReloadResult {
    let load = await reloader.load()
    follow(load)
    for problem in load.problems {
      logger.log(
        level: problem.severity == .error ? .error : .warning, "configuration",
        metadata: ["problem": "\(problem.line)"])
    }
    do throws(ReloadFailure) {
      guard let snapshot = load.snapshot else {
        throw ReloadFailure(problems: load.problems.filter(\.preventsUse).map(\.line))
      }
      let running = workers[0].snapshot.configuration.upstream
      let upstream = snapshot.configuration.upstream
      guard upstream.regions.all == running.regions.all else {
        throw ReloadFailure(problems: [
          "`upstream.region`, `upstream.endpoint` and `upstream.otherRegions` can change at a restart only"
        ])
      }
      // Its buckets would go by other names than those that the workers' connections are for.
      guard snapshot.configuration.rateLimit.store.identity == limitStore.identity else {
        throw ReloadFailure(problems: [
          "`rateLimit.store` can change at a restart only, but for its `passwordFile`, `caFile` and `timeout`"
        ])
      }
      let listeners = self.listeners.prepare(snapshot)
      let targets = try poolTargets(of: snapshot)
      let store = try storeSettings(of: snapshot)
      // A source that is new is asked before it takes the place of the one before; should it hang, the reload goes on.
      await supply.firstAttempt(
        of: snapshot.identities, on: workers[0].loop, within: Self.patienceWithSource)
      for key in snapshot.configuration.keysThatNeedRestart(since: workers[0].snapshot.configuration) {
        logger.warning("this change takes effect at the next start", metadata: ["key": "\(key)"])
      }
      shipper?.use(password: snapshot.configuration.audit.postgres?.password)
      shared.journal.sign(with: snapshot.configuration.audit.checkpoint.signingKey)
      shared.journal.bound(as: Journal.Settings(snapshot.configuration.audit))
      self.listeners.replace(listeners, snapshot.configuration.admin)
      // First, so that no worker asks a bucket under the old numbers once another has the new ones.
      shared.change(to: snapshot, now: clock.monotonic())
      supply.putInForce(snapshot.identities)
      for worker in workers { await put(snapshot, targets, store, inForceOn: worker) }
      reloader.succeeded(at: clock.wallClock())
      logger.info("reloaded", metadata: ["policyRevision": "\(snapshot.policyRevision)"])
      return .done(revision: snapshot.policyRevision.string)
    } catch {
      reloader.failed()
      logger.error(
        "reload failed; what ran before goes on", metadata: ["problem": "\(error.problems.first ?? "")"])
      return .failed(problems: error.problems)
    }
  }

  /// Whether files are watched is for the configuration that is in force, and for one that may come into force by them.
  private func follow(_ load: SnapshotLoad) {
    let first = workers[0]
    first.loop.spawn { [self] in
      let configuration = load.snapshot?.configuration ?? first.snapshot.configuration
      follower.follow(load.files, isWanted: configuration.reload.watch)
    }
  }

  /// Longer than one attempt; nanoseconds.
  private static let patienceWithSource: Int64 = 2_500_000_000

  private func poolTargets(of snapshot: Snapshot) throws(ReloadFailure) -> PerRegion<PoolTarget> {
    do {
      return try PoolTarget.targets(of: snapshot.configuration.upstream)
    } catch {
      throw ReloadFailure(problems: ["\(error)"])
    }
  }

  private func storeSettings(of snapshot: Snapshot) throws(ReloadFailure) -> StoreSettings? {
    do {
      return try snapshot.configuration.rateLimit.store.settings()
    } catch {
      throw ReloadFailure(problems: ["\(error)"])
    }
  }

  /// Returns when the worker has it: who is told of the reload may rely on it.
  private func put(
    _ snapshot: Snapshot, _ targets: PerRegion<PoolTarget>, _ store: StoreSettings?,
    inForceOn worker: Worker
  ) async {
    await withUnsafeContinuation { continuation in
      worker.loop.spawn {
        let isTrusted = snapshot.configuration.upstream.trust.isSame(
          as: worker.snapshot.configuration.upstream.trust)
        for (upstream, target) in zip(worker.upstreams.all, targets.all) {
          upstream.connect(to: target, keepingConnections: isTrusted)
        }
        if let store { worker.store?.change(to: store) }
        worker.records.write(under: snapshot.sensitivity)
        worker.snapshot = snapshot
        continuation.resume()
      }
    }
  }
}

struct ReloadFailure: Error {
  let problems: [String]
}
