package import Admin
internal import AuditIndex
internal import AuditStore
internal import AuditTrail
package import Configuration
package import Primitives
internal import StrictJSON
internal import Threads

/// Answers the dashboard's questions about requests from the journal that a gateway is writing, through its index. Questions
/// wait for one another on a thread of their own, and none takes longer than its time: what was looked through by then is
/// given, and where to go on.
package final class JournalBrowser: Sendable {
  private let index: BrowsedIndex
  private let questions: BackgroundQueue
  private let clock: any TimeSource
  package let live: LiveFeed

  /// Nanoseconds that one question may take of the thread.
  private static let longest: Int64 = 1_500_000_000
  private static let mostQuestions = 16

  package init(directory: String, clock: any TimeSource) {
    let index = BrowsedIndex(directory: directory)
    self.index = index
    live = LiveRequests.feed(of: directory)
    self.clock = clock
    questions = BackgroundQueue(capacity: Self.mostQuestions) { index.close() }
  }

  /// - Parameter tenants: those that are configured.
  package func search(
    _ parameters: [APIParameter], tenants: [Text], under sensitive: GatewayConfiguration.Sensitive
  ) async -> APIAnswer {
    await ask(parameters, RequestQuery.names, tenants, sensitive) { query, index, hasTime in
      let page = try index.page(query, while: hasTime)
      return (page.json, page.requests.isEmpty && page.isComplete)
    }
  }

  package func count(
    _ parameters: [APIParameter], tenants: [Text], under sensitive: GatewayConfiguration.Sensitive
  ) async -> APIAnswer {
    await ask(parameters, RequestQuery.namesToCount, tenants, sensitive) { query, index, hasTime in
      let page = try index.counts(query, while: hasTime)
      return (page.json, page.counts.kinds == 0 && page.since == nil)
    }
  }

  /// - Parameter answer: gives the answer, and whether there is certainly no such request.
  private func ask(
    _ parameters: [APIParameter], _ names: [String], _ tenants: [Text],
    _ sensitive: GatewayConfiguration.Sensitive,
    _ answer:
      @escaping @Sendable (RequestQuery, BrowsedIndex, _ hasTime: () -> Bool) throws -> (
        json: [UInt8], isNone: Bool
      )
  ) async -> APIAnswer {
    let query: RequestQuery
    do throws(RequestQuery.Fault) {
      query = try RequestQuery(parameters, names: names, sensitive: sensitive, now: clock.wallClock())
    } catch {
      return .error(400, error.message)
    }
    return await ask { [clock] index, deadline in
      let (json, isNone) = try answer(query, index) { clock.monotonic() < deadline }
      // Of a tenant that does not exist there must not seem to be none.
      if isNone, let tenant = query.filter.tenant, !tenants.contains(tenant), try !index.isRecorded(tenant) {
        let words = FilterWords.unknown("tenant", tenant.string, among: tenants.map(\.string))
        return .error(400, "\(words); none of that name is configured or recorded")
      }
      return APIAnswer(body: json)
    }
  }

  package func find(_ id: Text, _ parameters: [APIParameter]) async -> APIAnswer {
    var times: ClosedRange<WallClockTime>?
    for parameter in parameters {
      guard parameter.name == "time", let time = WallClockTime(rfc3339: parameter.value.string) else {
        return .error(400, "expected no parameter but `time`, the request's time as its record has it")
      }
      // Records tell milliseconds.
      times = time...time.advanced(byNanoseconds: 1_000_000)
    }
    guard id.utf8.count <= 64 else { return .error(404, "no request has such an id") }
    return await ask { [clock, times] index, deadline in
      let found = try index.request(id, in: times) { clock.monotonic() < deadline }
      switch found {
      case .request(let request): return APIAnswer(body: request.fullJSON)
      case .absent: return .error(404, "the journal has no request with the id `\(id.onOneLine)`")
      case .notFound(let earliest):
        return .error(
          404,
          "no request with the id `\(id.onOneLine)` was recorded since \(earliest.rfc3339); give its `time` to look further back"
        )
      }
    }
  }

  private func ask(
    _ question: @escaping @Sendable (BrowsedIndex, _ deadline: MonotonicInstant) throws -> APIAnswer
  ) async -> APIAnswer {
    await questions.run { [self] in
      let deadline = clock.monotonic().advanced(byNanoseconds: Self.longest)
      do {
        return try index.withFreshIndex { try question(index, deadline) }
      } catch {
        return .error(503, "the journal cannot be asked now: \(BrowsedIndex.message(error))")
      }
    } ?? .busy
  }
}
