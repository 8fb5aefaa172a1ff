package import Admin
internal import Configuration
package import Primitives
internal import StrictJSON
internal import Synchronization
internal import Threads

/// What the dashboard is made of. Questions are answered on a thread of their own, with what their loop had at hand when
/// they came.
final class Dashboard: Sendable {
  let lookup: (any RequestLookup)?
  let history: Mutex<MinuteHistory>
  let startedAt: WallClockTime
  private let questions = BackgroundQueue(capacity: 32)

  init(lookup: (any RequestLookup)?, startedAt: WallClockTime) {
    self.lookup = lookup
    self.startedAt = startedAt
    history = Mutex(MinuteHistory(startedAt: startedAt))
  }

  func answer(_ work: @escaping @Sendable () -> APIAnswer) async -> APIAnswer {
    await questions.run(work) ?? .busy
  }
}

extension GatewayServer: DashboardSource {
  /// Called often; once a minute it looks at the counters.
  func keepHistory() {
    let now = clock.wallClock()
    guard dashboard.history.withLock({ $0.isDue(at: now) }) else { return }
    let counts = counts(of: workers[0].snapshot)
    dashboard.history.withLock { $0.take(counts, at: now) }
  }

  package func overview() async -> APIAnswer {
    let snapshot = workers[0].snapshot
    return await dashboard.answer { [self] in
      APIAnswer(body: JSONWriter.object { writeOverview(of: snapshot, to: &$0) })
    }
  }

  package func health() async -> APIAnswer { APIAnswer(body: readinessObject().body) }

  package func tenants() async -> APIAnswer {
    let snapshot = workers[0].snapshot
    return await dashboard.answer { [self] in
      APIAnswer(body: JSONWriter.object { writeTenants(of: snapshot, to: &$0) })
    }
  }

  package func policies() async -> APIAnswer {
    let snapshot = workers[0].snapshot
    return await dashboard.answer { [self] in
      APIAnswer(body: JSONWriter.object { writePolicies(of: snapshot, to: &$0) })
    }
  }

  package func explain(_ body: [UInt8]) async -> APIAnswer {
    let snapshot = workers[0].snapshot
    let now = clock.wallClock()
    return await dashboard.answer { Playground(snapshot, at: now).answer(body) }
  }

  package var live: LiveFeed? { dashboard.lookup?.live }

  package func requests(_ parameters: [APIParameter]) async -> APIAnswer {
    guard let lookup = dashboard.lookup else { return .noJournal }
    let snapshot = workers[0].snapshot
    return await lookup.search(
      parameters, tenants: snapshot.tenants.tenants.map(\.id),
      under: snapshot.configuration.audit.sensitive)
  }

  package func counts(_ parameters: [APIParameter]) async -> APIAnswer {
    guard let lookup = dashboard.lookup else { return .noJournal }
    let snapshot = workers[0].snapshot
    return await lookup.count(
      parameters, tenants: snapshot.tenants.tenants.map(\.id),
      under: snapshot.configuration.audit.sensitive)
  }

  package func request(_ id: Text, _ parameters: [APIParameter]) async -> APIAnswer {
    guard let lookup = dashboard.lookup else { return .noJournal }
    return await lookup.find(id, parameters)
  }
}

extension APIAnswer {
  fileprivate static let noJournal = error(404, "this gateway has no journal to look into")
}
