import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditIndex

/// Which requests of a zone have which terms: what was added is found, in memory and as it is written.
@Suite struct TermListsTests {
  private static func bits(_ random: inout SeededGenerator, _ kinds: UInt32) -> UInt32 {
    // Few different ones, many different ones, and those at the edges of buckets.
    switch random.next() % 4 {
    case 0: UInt32(random.next() % 16) << 28
    case 1: UInt32(random.next() % 16) << 28 | 0x0FFF_FFFF
    default: UInt32(truncatingIfNeeded: (random.next() % UInt64(kinds)) &* 0x9E37_79B9)
    }
  }

  @Test(arguments: [1, 40, 5000] as [UInt32]) func everyPairIsFound(kinds: UInt32) {
    var random = SeededGenerator(seed: UInt64(kinds))
    var postings = ZonePostings()
    var expected: [UInt32: Set<Int>] = [:]
    for _ in 0..<20_000 {
      let term = Self.bits(&random, kinds)
      let request = Int(random.next() % 4096)
      postings.add(RecordTerm(bits: term), of: request)
      expected[term, default: []].insert(request)
    }
    var buckets: [Int: [UInt8]] = [:]
    postings.forEachBucket { bucket, lists in buckets[bucket] = Array(lists) }
    for (term, requests) in expected {
      let term = RecordTerm(bits: term)
      #expect(postings.requests(with: term).requests == requests.sorted())
      var found = RequestSet()
      let lists = buckets[TermLists.bucket(of: term)] ?? []
      let isSound = TermLists.add(term, in: lists.span.bytes, to: &found)
      #expect(isSound && found.requests == requests.sorted())
    }
    for _ in 0..<200 {
      let term = RecordTerm(bits: UInt32(truncatingIfNeeded: random.next()))
      var found = RequestSet()
      let lists = buckets[TermLists.bucket(of: term)] ?? [0, 0, 0, 0]
      let isSound = TermLists.add(term, in: lists.span.bytes, to: &found)
      #expect(isSound && found.requests.isEmpty == (expected[term.bits] == nil))
    }
  }

  @Test func listsThatAreCutAreNoneAndDoNoHarm() {
    var random = SeededGenerator(seed: 3)
    var postings = ZonePostings()
    for request in 0..<600 { postings.add(RecordTerm(bits: 5), of: request) }
    for request in 0..<20 { postings.add(RecordTerm(bits: 7), of: request) }
    var whole: [UInt8] = []
    postings.forEachBucket { _, lists in whole = Array(lists) }
    for cut in 0..<whole.count {
      var found = RequestSet()
      let lists = Array(whole[..<cut])
      let isSound = TermLists.add(RecordTerm(bits: 7), in: lists.span.bytes, to: &found)
      #expect(!isSound)
    }
    for _ in 0..<5000 {
      var changed = whole
      changed[Int(random.next() % 16)] = UInt8(truncatingIfNeeded: random.next())
      var found = RequestSet()
      for bits: UInt32 in [5, 7, 9] {
        _ = TermLists.add(RecordTerm(bits: bits), in: changed.span.bytes, to: &found)
      }
    }
  }

  @Test func setsOfRequestsAreSets() {
    for count in [0, 1, 63, 64, 65, 4095, 4096] {
      #expect(RequestSet(first: count).requests == Array(0..<count))
    }
    var set = RequestSet()
    #expect(set.isEmpty)
    for request in [4095, 0, 64, 63] { set.insert(request) }
    #expect(set.requests == [0, 63, 64, 4095] && set.contains(63) && !set.contains(62))
    var other = RequestSet(first: 64)
    other.formIntersection(set)
    #expect(other.requests == [0, 63])
    set.remove(63)
    #expect(set.requests == [0, 64, 4095])
  }
}
