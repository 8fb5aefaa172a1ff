import AuditStore
import AuditTrail
import GRDB
import Glibc
import Primitives
import TestSupport
import Testing

@testable import AuditIndex

/// Journals as they come: outcomes soon, late or never, findings, segments of any size, lines that are no records, and an
/// index that is brought up to date now and then by several processes.
@Suite struct RandomJournalTests {
  private func answers(of index: JournalIndex, _ filter: QueryFilter, newestFirst: Bool) throws -> [String] {
    var found: [String] = []
    try index.forEachRequest(matching: filter, newestFirst: newestFirst) { request in
      found.append(String(decoding: request.json, as: UTF8.self))
      return true
    }
    return newestFirst ? found.reversed() : found
  }

  private func scanned(_ journal: WrittenJournal) throws -> [RequestHistory] {
    var found: [RequestHistory] = []
    try JournalReader(directory: journal.path).forEachRequest { found.append($0) }
    return found
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>) func answersAreThoseOfAScan(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let journal = try WrittenJournal()
    let linesPerZone = [3, 16, 50, 4096][Int(random.next() % 4)]
    var indexes = [try JournalIndex(directory: journal.path, linesPerZone: linesPerZone)]
    var open: [Int] = []
    var unknown: [Int] = []
    var unreadable = 0
    for number in 1...260 {
      switch random.next() % 20 {
      case 0..<9:
        try journal.intend(number) { request in
          if random.next() % 5 == 0 { request.name = Text("odd \"\(number)\"\n") }
          if random.next() % 5 == 0 {
            request.changes = [.init(field: "Tags.Team", from: nil, to: Text("team-\(number % 6)"))]
          }
        }
        open.append(number)
      case 9..<16 where !open.isEmpty:
        let which = random.next() % 3 == 0 ? open.startIndex : open.endIndex - 1
        let ended = open.remove(at: which)
        if random.next() % 6 == 0 {
          try journal.conclude(ended, .unknown)
          unknown.append(ended)
        } else {
          try journal.conclude(ended, .created, random.next() % 4 == 0 ? .throttled : nil)
        }
      case 16 where !unknown.isEmpty: try journal.reconcile(unknown.removeFirst(), .created)
      case 17: try journal.only(number, random.next() % 2 == 0 ? .unknown : .notForwarded)
      case 18:
        try journal.garbage()
        unreadable += 1
      default: journal.rotate()
      }
      guard random.next() % 40 == 0 else { continue }
      if random.next() % 3 == 0 {
        indexes.append(try JournalIndex(directory: journal.path, linesPerZone: linesPerZone))
      }
      try indexes[Int(random.next() % UInt64(indexes.count))].update()
    }
    let index = indexes[Int(random.next() % UInt64(indexes.count))]
    #expect(try index.update() == unreadable)
    let requests = try scanned(journal)
    for filter in JournalIndexTests.everyFilter {
      let expected = requests.filter { filter.matches($0) }.map { String(decoding: $0.json, as: UTF8.self) }
      for newestFirst in [true, false] {
        #expect(try answers(of: index, filter, newestFirst: newestFirst) == expected, "\(filter)")
      }
    }
    let last = try #require(requests.last).first.sequence
    for limit in [last, last / 2] {
      #expect(
        try index.unknownCount(upTo: limit) == requests.count { $0.isUnknown && $0.first.sequence <= limit })
    }
  }

  @Test func segmentsThatRetentionTookAreForgotten() throws {
    let journal = try WrittenJournal()
    let index = try JournalIndex(directory: journal.path, linesPerZone: 8)
    var firsts: [Int] = []
    for segment in 0..<6 {
      firsts.append(journal.lastSequence + 1)
      for number in 1...20 { try journal.intend(100 * segment + number) }
      for number in 1...15 { try journal.conclude(100 * segment + number, .created) }
      journal.rotate()
      try index.update()
      if segment >= 2 { journal.remove(firsts[segment - 2]) }
    }
    try index.update()
    let requests = try scanned(journal)
    for filter in JournalIndexTests.everyFilter {
      let expected = requests.filter { filter.matches($0) }.map { String(decoding: $0.json, as: UTF8.self) }
      #expect(try answers(of: index, filter, newestFirst: true) == expected)
    }
    #expect(try index.unknownCount(upTo: .max) == requests.count { $0.isUnknown })
    let left = try index.file.queue.read { db in
      try ["zone", "places", "posting", "unknown"].map {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)") ?? 0
      }
    }
    #expect(left[0] > 0 && left[0] == left[1] && left[2] <= 16 * left[0] && left[3] <= requests.count)
  }
}
