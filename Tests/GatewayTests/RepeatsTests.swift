import OpenSSLCrypto
import Primitives
import RateLimiting
import Testing

@testable import Gateway

@Suite struct RepeatsTests {
  private let key = replayKey("crm", "arn:a", "t-1")
  private let body = requestDigest("{}")
  private let id = RequestID(from: OneNumber())
  private let start = MonotonicInstant(nanoseconds: 1_000)

  @Test func aRepeatInFlightJoinsAndGetsTheSameAnswer() async throws {
    let repeats = Repeats(windowNanoseconds: 100)
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
    #expect(name(repeats.begin(key, digest: body, now: start)) == "join")
    let waiters = (0..<3).map { _ in Task.immediate { await repeats.wait(for: key) } }
    repeats.finish(key, try upstreamAnswer(201, body: "made"), now: start)
    for waiter in waiters {
      let answered = try #require(await waiter.value)
      #expect(answered.answered == id)
      #expect(answered.status == 201)
      #expect(answered.body == Array("made".utf8))
    }
  }

  @Test func aRepeatWithinTheWindowGetsTheRecordedAnswer() throws {
    let repeats = Repeats(windowNanoseconds: 100)
    _ = repeats.begin(key, digest: body, now: start)
    repeats.finish(key, try upstreamAnswer(201), now: start)
    #expect(name(repeats.begin(key, digest: body, now: start.advanced(byNanoseconds: 99))) == "replay 201")
    #expect(name(repeats.begin(key, digest: body, now: start.advanced(byNanoseconds: 100))) == "proceed")
  }

  @Test func anotherBodyUnderTheTokenIsAConflict() throws {
    let repeats = Repeats(windowNanoseconds: 100)
    let other = requestDigest("{ }")
    _ = repeats.begin(key, digest: body, now: start)
    #expect(name(repeats.begin(key, digest: other, now: start)) == "conflict")
    repeats.finish(key, try upstreamAnswer(201), now: start)
    #expect(name(repeats.begin(key, digest: other, now: start)) == "conflict")
  }

  @Test func anotherTenantOrAppInstanceOrTokenIsAnotherCreate() {
    let repeats = Repeats(windowNanoseconds: 100)
    _ = repeats.begin(key, digest: body, now: start)
    for other in [
      replayKey("hr", "arn:a", "t-1"),
      replayKey("crm", "arn:b", "t-1"),
      replayKey("crm", "arn:a", "t-2"),
    ] {
      #expect(name(repeats.begin(other, digest: body, now: start)) == "proceed")
    }
  }

  @Test func aFailureWakesThoseWhoWaitAndIsNotRecorded() async {
    let repeats = Repeats(windowNanoseconds: 100)
    _ = repeats.begin(key, digest: body, now: start)
    let waiter = Task.immediate { await repeats.wait(for: key) }
    repeats.finish(key, nil, now: start)
    #expect(await waiter.value == nil)
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
  }

  @Test(arguments: [403, 429, 500, 503])
  func anAnswerThatMayDifferNextTimeIsNotShared(_ status: Int) async throws {
    let repeats = Repeats(windowNanoseconds: 100)
    _ = repeats.begin(key, digest: body, now: start)
    let waiter = Task.immediate { await repeats.wait(for: key) }
    repeats.finish(key, try upstreamAnswer(status), now: start)
    #expect(await waiter.value == nil)
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
  }

  @Test func whoComesTooLateToWaitIsToldSo() async throws {
    let repeats = Repeats(windowNanoseconds: 100)
    _ = repeats.begin(key, digest: body, now: start)
    repeats.finish(key, try upstreamAnswer(201), now: start)
    #expect(await repeats.wait(for: key) == nil)
  }

  @Test func aWindowOfZeroTurnsRepeatsOff() throws {
    let repeats = Repeats(windowNanoseconds: 0)
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
    repeats.finish(key, try upstreamAnswer(201), now: start)
    #expect(name(repeats.begin(key, digest: body, now: start)) == "proceed")
  }

  private func name(_ admission: Repeats.Table.Admission) -> String {
    switch admission {
    case .proceed: "proceed"
    case .join: "join"
    case .replay(let kept): "replay \(UpstreamAnswer(kept: kept)?.status ?? 0)"
    case .conflict: "conflict"
    }
  }
}

private func replayKey(_ tenant: String, _ arn: String, _ token: String) -> ReplayKey {
  let (tenant, arn, token) = (Array(tenant.utf8), Array(arn.utf8), Array(token.utf8))
  return ReplayKey(tenant: tenant.span, appInstanceArn: arn.span, clientRequestToken: token.span)
}

private func requestDigest(_ body: String) -> RequestDigest {
  let (method, target) = (Array("POST".utf8), Array("/app-instance-users".utf8))
  let hash = SHA256.digest(Array(body.utf8))
  return RequestDigest(method: method.span, target: target.span, payloadHash: hash)
}

extension Repeats {
  fileprivate func finish(_ key: ReplayKey, _ answer: UpstreamAnswer?, now: MonotonicInstant) {
    var scratch = ByteBuffer()
    finish(key, answer, now: now, scratch: &scratch)
  }
}
