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
  ) throws -> SearchFlaws {
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
  ) throws -> SearchFlaws {
    let index = try JournalIndex(directory: directory)
    var transactions = 0
    let unreadable = try index.update {
      transactions += 1
      if transactions == Self.quickTransactions {
        notice("bringing the index of the audit journal up to date")
      }
      return true
    }
    var flaws = SearchFlaws(unreadable: unreadable)
    let note = { (request: RequestHistory) in
      flaws.altered.append(request.doubtful?.sequence ?? request.first.sequence)
    }
    guard let limit else {
      try index.forEachRequest(matching: filter, newestFirst: false, altered: note) { request in
        give(request)
        return true
      }
      return flaws
    }
    var latest: [RequestHistory] = []
    try index.forEachRequest(matching: filter, newestFirst: true, altered: note) { request in
      latest.append(request)
      return latest.count < limit
    }
    for request in latest.reversed() { give(request) }
    return flaws
  }

  private static func scan(
    _ reader: JournalReader, _ filter: QueryFilter, after given: Int, _ limit: Int?,
    _ body: (RequestHistory) -> Void
  ) throws -> SearchFlaws {
    var flaws = SearchFlaws()
    // What a record that was altered had been about, nothing tells here.
    func isFound(_ request: RequestHistory) -> Bool {
      if filter.matches(request) { return true }
      if let record = request.doubtful { flaws.altered.append(record.sequence) }
      return false
    }
    guard let limit else {
      flaws.unreadable = try reader.forEachRequest { request in
        if request.first.sequence > given, isFound(request) { body(request) }
      }
      return flaws
    }
    // A ring of the latest.
    var latest: [RequestHistory] = []
    var oldest = 0
    flaws.unreadable = try reader.forEachRequest { request in
      guard isFound(request) else { return }
      if latest.count < limit {
        latest.append(request)
      } else {
        latest[oldest] = request
        oldest = (oldest + 1) % limit
      }
    }
    for request in latest[oldest...] + latest[..<oldest] { body(request) }
    return flaws
  }

  /// Transactions of the index after which it is time to say why nothing is printed yet.
  private static let quickTransactions = 20
}
