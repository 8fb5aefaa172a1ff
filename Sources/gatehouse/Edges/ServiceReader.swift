import AuditReconciliation
import Gateway
import HTTPWire
import Primitives
import RateLimiting
import Transport
import UserScan

/// Asks the Chime SDK Identity API. It has no way to change anything there: all it sends is GET.
final class ServiceReader: UserListing {
  /// How often, and how fast, it asks.
  struct Patience {
    /// How often a question is asked at most.
    var attempts: Int
    var backoff = Backoff(baseNanoseconds: 200_000_000)
    /// `nil`: as fast as upstream answers.
    var pace: Pace?
  }

  /// How fast calls follow each other, repeated ones included. It belongs to one loop, and several readers may share it.
  final class Pace {
    /// Nanoseconds between the beginnings of two calls.
    private let interval: Int64
    /// When the next call may begin.
    private var next = MonotonicInstant(nanoseconds: 0)

    init(interval: Int64) { self.interval = interval }

    fileprivate func takeTurn(on loop: EventLoop) async {
      let now = loop.clock.monotonic()
      let turn = max(now, next)
      next = turn.advanced(byNanoseconds: interval)
      if turn > now { await loop.sleep(nanoseconds: turn.nanoseconds(since: now)) }
    }
  }

  private let client: ServiceClient
  private let patience: Patience
  private let loop: EventLoop

  /// The longest that upstream's `Retry-After` is obeyed, in seconds.
  private static let longestWait: Int64 = 60

  init(_ client: ServiceClient, _ patience: Patience, loop: EventLoop) {
    self.client = client
    self.patience = patience
    self.loop = loop
  }

  func close() { client.close() }

  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    var path = Array("/app-instance-users/".utf8)
    PercentCoding.encode(arn.utf8, into: &path)
    return try await get(path)
  }

  func listUsers(of appInstance: Text, after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    var query = Array("app-instance-arn=".utf8)
    PercentCoding.encode(appInstance.utf8, into: &query)
    query.append(contentsOf: "&max-results=50".utf8)
    if let token {
      query.append(contentsOf: "&next-token=".utf8)
      PercentCoding.encode(token.utf8, into: &query)
    }
    return try await get(Array("/app-instance-users".utf8), query)
  }

  func listAppInstances(after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    var query = Array("max-results=50".utf8)
    if let token {
      query.append(contentsOf: "&next-token=".utf8)
      PercentCoding.encode(token.utf8, into: &query)
    }
    return try await get(Array("/app-instances".utf8), query)
  }

  func listTags(of resource: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    var query = Array("arn=".utf8)
    PercentCoding.encode(resource.utf8, into: &query)
    return try await get(Array("/tags".utf8), query)
  }

  private func get(_ path: [UInt8], _ query: [UInt8] = []) async throws(UpstreamUnavailable) -> ReadAnswer {
    let request = ServiceRequest(method: "GET", path: path, query: query)
    var attempt = 1
    while true {
      let reason: String
      // What upstream asks for, if it does.
      var wait: Int64 = 0
      await patience.pace?.takeTurn(on: loop)
      do throws(ExchangeFailure) {
        let message = try await client.send(request)
        if let answer = ReadAnswer(message) { return answer }
        reason = ReadAnswer.description(of: message)
        wait = Self.retryAfter(message.head)
      } catch {
        reason = Self.described(error)
      }
      guard attempt < patience.attempts else { throw UpstreamUnavailable(reason: reason) }
      let backoff = patience.backoff.delay(retry: attempt - 1, entropy: SystemEntropy())
      await loop.sleep(nanoseconds: max(wait, backoff))
      attempt += 1
    }
  }

  /// Nanoseconds.
  private static func retryAfter(_ head: ResponseHead) -> Int64 {
    guard let seconds = head.text(of: "retry-after").flatMap({ Int64($0) }), seconds > 0 else { return 0 }
    return min(seconds, longestWait) * 1_000_000_000
  }

  private static func described(_ failure: ExchangeFailure) -> String {
    switch failure {
    case .notSent(let error): "cannot be reached: \(error)"
    case .lost(let error): "the connection was lost: \(error)"
    case .unreadable(let violation): "the answer is not HTTP: \(violation)"
    case .timedOut: "no answer in time"
    }
  }
}
