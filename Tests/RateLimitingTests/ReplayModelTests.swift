import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import RateLimiting

/// The replay table and what it is made of, each beside a simple one that says the same.
@Suite struct ReplayModelTests {
  private final class Waiter: Sendable {}

  /// What is kept of one key.
  private struct Known {
    let digest: RequestDigest
    var answer: [UInt8]?
    var at = 0
    var waiters = 0
  }

  @Test(arguments: [1, 2, 7, 40]) func theTableIsTheOneOfItsDescription(_ capacity: Int) {
    var generator = SeededGenerator(seed: UInt64(capacity))
    let window = 1000
    let table = ReplayTable<Waiter>(
      windowNanoseconds: Int64(window), capacity: capacity, shardCount: 1)
    var known: [Int: Known] = [:]
    var answered: [Int] = []
    var now = 0
    for _ in 0..<20_000 {
      now += Int.random(in: 0...60, using: &generator)
      let number = Int.random(in: 0..<3 * capacity, using: &generator)
      let time = MonotonicInstant(nanoseconds: Int64(now))
      let digest = Self.digest(Int.random(in: 0..<8, using: &generator) == 0 ? 2 : 1)
      if generator.happens(60) {
        while let first = answered.first, let entry = known[first], now - entry.at >= window {
          answered.removeFirst()
          known[first] = nil
        }
        let admission = table.begin(Self.key(number), digest: digest, now: time)
        guard let entry = known[number] else {
          #expect(Self.name(admission) == "proceed")
          known[number] = Known(digest: digest)
          continue
        }
        let expected =
          entry.digest != digest ? "conflict" : entry.answer.map { "replay \($0)" } ?? "join"
        #expect(Self.name(admission) == expected)
        if expected == "join", generator.happens(50) {
          #expect(table.add(Waiter(), to: Self.key(number)))
          known[number]?.waiters += 1
        }
      } else if let entry = known[number], entry.answer == nil {
        let isKept = generator.happens(70)
        let length = generator.happens(5) ? 3000 : Int.random(in: 0...400, using: &generator)
        let answer = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* number) }
        let waiters =
          isKept
          ? table.finish(Self.key(number), keeping: answer.span, now: time) : table.finish(Self.key(number))
        #expect(waiters.count == entry.waiters)
        if isKept {
          if answered.count == capacity { known[answered.removeFirst()] = nil }
          answered.append(number)
          known[number] = Known(digest: entry.digest, answer: answer, at: now)
        } else {
          known[number] = nil
        }
      } else {
        #expect(table.finish(Self.key(number)).isEmpty)
        #expect(!table.add(Waiter(), to: Self.key(number)))
      }
      #expect(table.count == known.count)
    }
  }

  @Test func theIndexFindsWhatIsThereAndNothingElse() {
    var generator = SeededGenerator(seed: 3)
    var index = ReplayIndex()
    var places: [UInt64: Int] = [:]
    for step in 0..<20_000 {
      // Of few bits many are alike in what decides where they stand.
      let bits = UInt64.random(in: 0..<300, using: &generator)
      if let place = places[bits] {
        #expect(index.find(bits) { $0 == place } == place)
        if generator.happens(50) {
          index.remove(bits, place)
          places[bits] = nil
        }
      } else {
        #expect(index.find(bits) { _ in true } == -1)
        index.insert(bits, step)
        places[bits] = step
      }
      #expect(index.count == places.count)
    }
    for (bits, place) in places { #expect(index.find(bits) { $0 == place } == place) }
  }

  @Test func aCallThatIsANumberIsNoOther() {
    let hash = SHA256.digest([1])
    #expect(RequestDigest(call: 1, payloadHash: hash) == RequestDigest(call: 1, payloadHash: hash))
    #expect(RequestDigest(call: 1, payloadHash: hash) != RequestDigest(call: 2, payloadHash: hash))
    #expect(
      RequestDigest(call: 1, payloadHash: hash) != RequestDigest(call: 1, payloadHash: SHA256.digest([2])))
  }

  private static func key(_ number: Int) -> ReplayKey {
    let (tenant, token) = (Array("crm".utf8), Array("\(number)".utf8))
    return ReplayKey(tenant: tenant.span, appInstanceArn: tenant.span, clientRequestToken: token.span)
  }

  private static func digest(_ number: UInt8) -> RequestDigest {
    RequestDigest(call: 1, payloadHash: SHA256.digest([number]))
  }

  private static func name(_ admission: ReplayTable<Waiter>.Admission) -> String {
    switch admission {
    case .proceed: "proceed"
    case .join: "join"
    case .conflict: "conflict"
    case .replay(let answer): "replay \(answer)"
    }
  }
}
