internal import AuditStore
package import AuditTrail

/// The journal in a directory, through its index; read from the beginning when the index cannot be used.
package struct JournalSource: RequestSource {
  private let directory: String
  /// Called when the index takes long to be brought up to date.
  private let notice: (String) -> Void

  package init(directory: String, notice: @escaping (String) -> Void) {
    self.directory = directory
    self.notice = notice
  }

  package func forEachRequest(
    matching filter: QueryFilter, limit: Int?, _ body: (RequestHistory) -> Void
  ) throws -> Int {
    let reader = try JournalReader(directory: directory)
    // Whatever happens to the index on the way, each request is given once.
    var given = 0
    do {
      return try lookUp(filter, limit) { request in
        given = request.first.sequence
        body(request)
      }
    } catch let fault as FileFault {
      throw fault
    } catch {
      if case IndexFailure.stale = error { JournalIndex.remove(in: directory) }
      return try Self.scan(reader, filter, after: given, limit, body)
    }
  }

  private func lookUp(
    _ filter: QueryFilter, _ limit: Int?, _ give: (RequestHistory) -> Void
  ) throws -> Int {
    let index = try JournalIndex(directory: directory)
    var transactions = 0
    let unreadable = try index.update {
      transactions += 1
      if transactions == Self.quickTransactions {
        notice("bringing the index of the audit journal up to date")
      }
      return true
    }
    guard let limit else {
      try index.forEachRequest(matching: filter, newestFirst: false) { request in
        give(request)
        return true
      }
      return unreadable
    }
    var latest: [RequestHistory] = []
    try index.forEachRequest(matching: filter, newestFirst: true) { request in
      latest.append(request)
      return latest.count < limit
    }
    for request in latest.reversed() { give(request) }
    return unreadable
  }

  private static func scan(
    _ reader: JournalReader, _ filter: QueryFilter, after given: Int, _ limit: Int?,
    _ body: (RequestHistory) -> Void
  ) throws -> Int {
    guard let limit else {
      return try reader.forEachRequest { request in
        if request.first.sequence > given, filter.matches(request) { body(request) }
      }
    }
    // A ring of the latest.
    var latest: [RequestHistory] = []
    var oldest = 0
    let unreadable = try reader.forEachRequest { request in
      guard filter.matches(request) else { return }
      if latest.count < limit {
        latest.append(request)
      } else {
        latest[oldest] = request
        oldest = (oldest + 1) % limit
      }
    }
    for request in latest[oldest...] + latest[..<oldest] { body(request) }
    return unreadable
  }

  /// Transactions of the index after which it is time to say why nothing is printed yet.
  private static let quickTransactions = 20
}
