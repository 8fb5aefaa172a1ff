internal import AuditIndex
internal import AuditStore
internal import AuditTrail
internal import Primitives

/// The index as it is kept open between questions.
///
/// `@unchecked Sendable`: only the thread that answers questions touches it.
final class BrowsedIndex: @unchecked Sendable {
  enum Found {
    case request(RequestHistory)
    case absent
    /// Not among those since then, and there was no time to look further back.
    case notFound(since: WallClockTime)
  }

  private let directory: String
  private var index: JournalIndex?

  init(directory: String) { self.directory = directory }

  func close() { index = nil }

  /// Whatever befalls the index on the way, it is opened anew once.
  func withFreshIndex<Answer>(_ ask: () throws -> Answer) throws -> Answer {
    do {
      return try ask()
    } catch IndexFailure.stale {
      index = nil
      return try ask()
    } catch {
      index = nil
      throw error
    }
  }

  private func opened() throws -> JournalIndex {
    if let index { return index }
    let index = try JournalIndex(directory: directory)
    self.index = index
    return index
  }

  /// One page, newest first.
  /// - Parameter hasTime: asked between requests.
  func page(_ query: RequestQuery, while hasTime: () -> Bool) throws -> RequestPage {
    let index = try opened()
    var page = RequestPage()
    var isCurrent = true
    page.unreadable = try index.update {
      isCurrent = hasTime()
      return isCurrent
    }
    page.isComplete = isCurrent
    var last: RequestQuery.Cursor?
    try index.forEachRequest(
      matching: query.filter, newestFirst: true,
      altered: { page.altered.append($0.doubtful?.sequence ?? $0.first.sequence) },
      passing: { request in
        last = RequestQuery.Cursor(sequence: request.first.sequence, time: request.time)
        guard !hasTime() else { return true }
        page.isComplete = false
        return false
      },
      { request in
        let place = RequestQuery.Cursor(sequence: request.first.sequence, time: request.time)
        if let before = query.before, place.sequence >= before.sequence { return true }
        guard page.requests.count < query.limit else {
          page.hasMore = true
          return false
        }
        page.requests.append(request)
        last = place
        guard !hasTime() else { return true }
        page.isComplete = false
        return false
      })
    if page.hasMore || !page.isComplete { page.next = last }
    return page
  }

  /// Counts of requests, the newest of them where there is no time for all.
  /// - Parameter hasTime: asked between requests.
  func counts(_ query: RequestQuery, while hasTime: () -> Bool) throws -> CountPage {
    let index = try opened()
    var page = CountPage(counts: RequestCounts(by: query.countBy), limit: query.limit)
    page.unreadable = try index.update {
      page.isCurrent = hasTime()
      return page.isCurrent
    }
    func goesOn(behind request: RequestHistory) -> Bool {
      guard !hasTime() || page.counts.kinds >= CountPage.mostKinds else { return true }
      page.since = request.time
      return false
    }
    try index.forEachRequest(
      matching: query.filter, newestFirst: true,
      altered: { page.altered.append($0.doubtful?.sequence ?? $0.first.sequence) },
      passing: goesOn(behind:),
      { request in
        page.counts.add(request)
        if let record = request.doubtful { page.altered.append(record.sequence) }
        return goesOn(behind: request)
      })
    return page
  }

  func request(
    _ id: Text, in times: ClosedRange<WallClockTime>?, while hasTime: () -> Bool
  ) throws -> Found {
    let index = try opened()
    try index.update(pause: hasTime)
    var filter = QueryFilter()
    filter.since = times?.lowerBound
    filter.until = times?.upperBound
    var found: RequestHistory?
    var earliest: WallClockTime?
    try index.forEachRequest(matching: filter, newestFirst: true) { request in
      if request.requestId == id {
        found = request
        return false
      }
      guard hasTime() else {
        earliest = request.time
        return false
      }
      return true
    }
    if let found { return .request(found) }
    return earliest.map { .notFound(since: $0) } ?? .absent
  }

  /// Whether any record is of that tenant.
  func isRecorded(_ tenant: Text) throws -> Bool {
    var (filter, isRecorded) = (QueryFilter(), false)
    filter.tenant = tenant
    try opened().forEachRequest(matching: filter, newestFirst: true) { _ in
      isRecorded = true
      return false
    }
    return isRecorded
  }

  /// Lower case, no full stop.
  static func message(_ error: any Error) -> String {
    switch error {
    case IndexFailure.unwritable(let reason): "its index: \(reason)"
    case IndexFailure.stale: "its index is being made anew"
    case let fault as FileFault: "\(fault)"
    default: "its index cannot be read"
    }
  }
}
