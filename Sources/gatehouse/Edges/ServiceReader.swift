import AuditReconciliation
import Gateway
import Primitives
import RateLimiting
import Transport

/// Asks the Chime SDK Identity API. It has no way to change anything there: all it sends is GET.
final class ServiceReader: UpstreamReading {
  private let client: ServiceClient
  private let attempts: Int
  private let loop: EventLoop

  private static let backoff = Backoff(baseNanoseconds: 200_000_000)

  /// - Parameter attempts: how often a question is asked at most.
  init(_ client: ServiceClient, attempts: Int, loop: EventLoop) {
    self.client = client
    self.attempts = attempts
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
      do throws(ExchangeFailure) {
        let message = try await client.send(request)
        if let answer = ReadAnswer(message) { return answer }
        reason = ReadAnswer.description(of: message)
      } catch {
        reason = Self.described(error)
      }
      guard attempt < attempts else { throw UpstreamUnavailable(reason: reason) }
      await loop.sleep(nanoseconds: Self.backoff.delay(retry: attempt - 1, entropy: SystemEntropy()))
      attempt += 1
    }
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
