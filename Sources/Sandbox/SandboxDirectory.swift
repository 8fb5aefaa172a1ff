internal import Primitives

/// Records by their ID and in its order, so that pages stay where they are while records come and go.
struct Directory<Record: Sendable>: Sendable {
  private var records: [Text: Record] = [:]
  private var ids: [Text] = []

  var count: Int { ids.count }

  subscript(id: Text) -> Record? {
    get { records[id] }
    // In place, so that what a record holds is not copied to change a part of it.
    _modify {
      let wasThere = records[id] != nil
      defer { enter(id, wasThere: wasThere) }
      yield &records[id]
    }
  }

  private mutating func enter(_ id: Text, wasThere: Bool) {
    switch (wasThere, records[id] != nil) {
    case (false, true): ids.insert(id, at: firstIndex(after: id))
    case (true, false): ids.remove(at: firstIndex(after: id) - 1)
    case (true, true), (false, false): break
    }
  }

  func count(where isCounted: (Record) -> Bool) -> Int { records.values.count(where: isCounted) }

  func contains(where isSought: (Record) -> Bool) -> Bool { records.values.contains(where: isSought) }

  /// What a page shows of the records that are listed.
  func listing(_ page: Page, where isListed: (Record) -> Bool = { _ in true }) -> Listing<Record> {
    var records: [Record] = []
    var last: Text?
    var index = page.after.map(firstIndex) ?? 0
    while index < ids.count, records.count < page.size {
      let id = ids[index]
      if let record = self.records[id], isListed(record) {
        records.append(record)
        last = id
      }
      index += 1
    }
    return Listing(records: records, nextToken: index < ids.count ? last.map(Page.token) : nil)
  }

  /// The index of the first ID that comes after `id`.
  private func firstIndex(after id: Text) -> Int {
    var low = 0
    var high = ids.count
    while low < high {
      let middle = (low + high) / 2
      if ids[middle] <= id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// One page of a list.
struct Listing<Record: Sendable>: Sendable {
  let records: [Record]
  /// For the next page, if there is one.
  let nextToken: Text?
}
