import OpenSSLCrypto
import Primitives
import RateLimiting
import Testing

private func replayKey(_ tenant: String, _ arn: String, _ token: String) -> ReplayKey {
  let (tenant, arn, token) = (Array(tenant.utf8), Array(arn.utf8), Array(token.utf8))
  return ReplayKey(tenant: tenant.span, appInstanceArn: arn.span, clientRequestToken: token.span)
}

private func requestDigest(_ method: String, _ target: String, _ body: UInt64) -> RequestDigest {
  let (method, target) = (Array(method.utf8), Array(target.utf8))
  let hash = SHA256.digest(Array("\(body)".utf8))
  return RequestDigest(method: method.span, target: target.span, payloadHash: hash)
}

@Suite("What a repeat is known by")
struct ReplayKeyTests {
  @Test("tells every part from every other, wherever one ends")
  func parts() {
    let texts = ["", "a", "b", "ab", "a\0", "\0a", "aa"]
    var keys: Set<ReplayKey> = []
    for tenant in texts {
      for arn in texts {
        for token in texts { keys.insert(replayKey(tenant, arn, token)) }
      }
    }
    #expect(keys.count == texts.count * texts.count * texts.count)
    #expect(replayKey("a", "b", "ab") == replayKey("a", "b", "ab"))
  }

  @Test("takes a signature for no token")
  func signature() {
    let (tenant, arn) = (Array("a".utf8), Array("b".utf8))
    let hash = SHA256.digest([1])
    let signed = ReplayKey(tenant: tenant.span, appInstanceArn: arn.span, signature: hash)
    let token = hash.bytes
    #expect(
      signed
        != ReplayKey(tenant: tenant.span, appInstanceArn: arn.span, clientRequestToken: token.span))
    #expect(signed == ReplayKey(tenant: tenant.span, appInstanceArn: arn.span, signature: hash))
  }

  @Test("tells requests by method, target and body")
  func digest() {
    let digests: Set = [
      requestDigest("POST", "/a", 1), requestDigest("PUT", "/a", 1), requestDigest("POST", "/b", 1),
      requestDigest("POST", "/a", 2), requestDigest("POST/", "a", 1), requestDigest("POST", "/a?", 1),
    ]
    #expect(digests.count == 6)
    #expect(requestDigest("POST", "/a", 1) == requestDigest("POST", "/a", 1))
  }
}

@Suite("The ClientRequestToken of a repeat")
struct DerivedTokenTests {
  private func token(_ tenant: String, _ arn: String, _ signature: String) -> String {
    let (tenant, arn) = (Array(tenant.utf8), Array(arn.utf8))
    return ReplayKey(
      tenant: tenant.span, appInstanceArn: arn.span, signature: SHA256.digest(Array(signature.utf8))
    ).clientRequestToken.string
  }

  @Test("is the same for the same signature, tenant and AppInstance, and for nothing else")
  func identity() {
    #expect(token("crm", "arn:1", "s") == token("crm", "arn:1", "s"))
    let tokens = [
      token("crm", "arn:1", "s"), token("crm", "arn:1", "t"), token("crm", "arn:2", "s"),
      token("hr", "arn:1", "s"), token("crma", "rn:1", "s"),
    ]
    #expect(Set(tokens).count == tokens.count)
  }

  @Test("is a UUID of version 8, of the characters and the length that the API takes")
  func form() throws {
    for number in 0..<200 {
      let token = token("crm", "arn:1", "\(number)")
      let uuid = /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
      #expect(token.wholeMatch(of: uuid) != nil)
      #expect((2...64).contains(token.utf8.count))
    }
  }
}

@Suite("A repeated create")
struct ReplayTableTests {
  typealias Table = ReplayTable<Named>

  /// Stands for a waiting request.
  final class Named: Sendable, ExpressibleByStringLiteral {
    let name: String
    init(_ name: String) { self.name = name }
    init(stringLiteral value: String) { name = value }
  }

  static let key = replayKey("crm", "arn:1", "t1")

  enum Seen: Equatable {
    case proceed, join, conflict
    case replay(String)

    init(_ admission: Table.Admission) {
      switch admission {
      case .proceed: self = .proceed
      case .join: self = .join
      case .conflict: self = .conflict
      case .replay(let answer): self = .replay(String(decoding: answer, as: UTF8.self))
      }
    }
  }

  private func table(capacity: Int = 100) -> Table {
    // One shard, so that the capacity is the table's.
    Table(windowNanoseconds: seconds(300), capacity: capacity, shardCount: 1)
  }

  private func begin(
    _ table: Table, _ key: ReplayKey = key, digest: UInt64 = 1, at time: Double = 0
  ) -> Seen {
    Seen(table.begin(key, digest: requestDigest("POST", "/", digest), now: at(time)))
  }

  @Test("joins the one in flight and gets its answer")
  func joins() {
    let table = table()
    #expect(begin(table) == .proceed)
    #expect(begin(table) == .join)
    #expect(table.add("first", to: Self.key))
    #expect(begin(table) == .join)
    #expect(table.add("second", to: Self.key))
    #expect(table.finish(Self.key, keeping: "201", now: at(1)).map(\.name) == ["first", "second"])
    #expect(begin(table, at: 1) == .replay("201"))
  }

  @Test("gets the recorded answer until the window, counted from the answer, is over")
  func window() {
    let table = table()
    #expect(begin(table) == .proceed)
    #expect(table.finish(Self.key, keeping: "201", now: at(10)).isEmpty)
    #expect(begin(table, at: 309.999) == .replay("201"))
    #expect(begin(table, at: 310) == .proceed)
  }

  @Test("of another request is a conflict, in flight and afterwards")
  func conflicts() {
    let table = table()
    #expect(begin(table) == .proceed)
    #expect(begin(table, digest: 2) == .conflict)
    _ = table.finish(Self.key, keeping: "201", now: at(0))
    #expect(begin(table, digest: 2) == .conflict)
    #expect(begin(table) == .replay("201"))
  }

  @Test("proceeds again when the outcome of the first must not be repeated")
  func failures() {
    let table = table()
    #expect(begin(table) == .proceed)
    #expect(table.add("waiter", to: Self.key))
    #expect(table.finish(Self.key).map(\.name) == ["waiter"])
    #expect(table.count == 0)
    #expect(begin(table, digest: 2) == .proceed)
  }

  @Test("that comes too late to join is told so")
  func lateJoin() {
    let table = table()
    #expect(begin(table) == .proceed)
    #expect(begin(table) == .join)
    _ = table.finish(Self.key, keeping: "201", now: at(0))
    #expect(!table.add("late", to: Self.key))
    #expect(begin(table) == .replay("201"))
  }

  @Test("is one only of the same tenant, AppInstance and token")
  func keys() {
    let table = table()
    let keys = [
      replayKey("crm", "arn:1", "t2"),
      replayKey("crm", "arn:2", "t1"),
      replayKey("erp", "arn:1", "t1"),
      replayKey("crmarn:1", "", "t1"),
    ]
    for key in [Self.key] + keys { #expect(begin(table, key) == .proceed) }
  }

  @Test("is sent like any other when the window is nothing")
  func off() {
    let table = Table(windowNanoseconds: 0)
    for _ in 0..<3 { #expect(begin(table) == .proceed) }
    #expect(table.finish(Self.key, keeping: "201", now: at(0)).isEmpty)
    #expect(table.count == 0)
  }

  @Test("finds only the latest answers when there are more than the capacity")
  func bounded() {
    let table = table(capacity: 10)
    func key(_ number: Int) -> ReplayKey {
      replayKey("crm", "a", "\(number)")
    }
    for number in 0..<1000 {
      #expect(begin(table, key(number)) == .proceed)
      _ = table.finish(key(number), keeping: "\(number)", now: at(0))
      #expect(table.count <= 10)
    }
    for number in 990..<1000 { #expect(begin(table, key(number)) == .replay("\(number)")) }
    #expect(begin(table, key(989)) == .proceed)
  }

  @Test("is sent once when many loops bring it")
  func parallel() async {
    let table = Table(windowNanoseconds: seconds(300))
    let proceeding = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<200).count { number in
            let key = replayKey("crm", "a", "\(number)")
            guard case .proceed = table.begin(key, digest: requestDigest("POST", "/", 1), now: at(0)) else {
              return false
            }
            _ = table.finish(key, keeping: "201", now: at(0))
            return true
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(proceeding == 200)
    #expect(table.count == 200)
  }

  @Test("leaves nothing behind over a long run of expiring answers")
  func expires() {
    let table = table(capacity: 50)
    for number in 0..<2000 {
      let key = replayKey("crm", "a", "\(number)")
      let time = Double(number) * 20
      #expect(begin(table, key, at: time) == .proceed)
      _ = table.finish(key, keeping: "x", now: at(time))
      // 300 seconds hold the answers of the last fifteen requests.
      #expect(table.count <= 16)
    }
  }

  @Test("keeps no more bytes than it may, the oldest going first, and no answer that is longer")
  func bytes() {
    let table = Table(windowNanoseconds: seconds(300), capacity: 1000, byteCapacity: 100, shardCount: 1)
    let long = replayKey("crm", "a", "long")
    #expect(begin(table, long) == .proceed)
    _ = table.finish(long, keeping: String(repeating: "x", count: 101), now: at(0))
    #expect(table.count == 0 && begin(table, long) == .proceed)
    let keys = (0..<50).map { replayKey("crm", "a", "\($0)") }
    for (number, key) in keys.enumerated() {
      #expect(begin(table, key) == .proceed)
      _ = table.finish(key, keeping: String(repeating: "y", count: 1 + number % 40), now: at(0))
      #expect(table.byteCount <= 100)
    }
    #expect(begin(table, keys[49]) == .replay(String(repeating: "y", count: 10)))
    #expect(begin(table, keys[0]) == .proceed)
  }

  @Test("repeats successes and faults of the request, not of the moment or the gateway")
  func definitive() {
    let expected: [(Int, Bool)] = [
      (200, true), (201, true), (204, true), (400, true), (404, true), (409, true), (401, false),
      (403, false), (408, false), (429, false), (500, false), (503, false), (302, false), (100, false),
    ]
    for (status, isDefinitive) in expected {
      #expect(Table.isDefinitive(status: status) == isDefinitive, "\(status)")
    }
  }
}

extension ReplayTable {
  fileprivate func finish(_ key: ReplayKey, keeping answer: String, now: MonotonicInstant) -> [Waiter] {
    let bytes = Array(answer.utf8)
    return finish(key, keeping: bytes.span, now: now)
  }
}
