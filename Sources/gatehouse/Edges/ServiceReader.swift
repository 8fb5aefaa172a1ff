import HTTPWire
import Gateway
import Primitives
import RateLimiting
import StrictJSON
import Transport

/// What upstream answered to a read.
enum ReadAnswer {
  case found(JSONDocument)
  /// NotFoundException: there is no such resource.
  case notFound
  /// It will not say; the status and the type of the error.
  case refused(String)
}

/// Upstream did not answer, or asked to be left alone for now.
struct UpstreamUnavailable: Error {
  let reason: String
}

/// Asks the Chime SDK Identity API. It has no way to change anything there: all it sends is GET.
final class ServiceReader {
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

  /// DescribeAppInstanceUser
  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    var path = Array("/app-instance-users/".utf8)
    PercentCoding.encode(arn.utf8, into: &path)
    return try await get(path)
  }

  /// One page of ListAppInstanceUsers.
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

  /// ListTagsForResource
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
        if let answer = Self.answer(message) { return answer }
        reason = Self.described(message)
      } catch {
        reason = Self.described(error)
      }
      guard attempt < attempts else { throw UpstreamUnavailable(reason: reason) }
      await loop.sleep(nanoseconds: Self.backoff.delay(retry: attempt - 1, entropy: SystemEntropy()))
      attempt += 1
    }
  }

  /// `nil` when another try may get a better one.
  private static func answer(_ message: ResponseMessage) -> ReadAnswer? {
    switch message.head.status {
    case 200..<300: (try? JSONDocument(parsing: message.bodyArray)).map { .found($0) }
    case 429, 500...: nil
    // A proxy's 404 says nothing about a user.
    case 404 where errorType(message)?.hasPrefix("NotFound") == true: .notFound
    default: .refused(described(message))
    }
  }

  /// As SDKs find it: in the field, and else in the body.
  private static func errorType(_ message: ResponseMessage) -> String? {
    if let type = message.head.text(of: "x-amzn-errortype") { return type.onOneLine }
    guard let document = try? JSONDocument(parsing: message.bodyArray) else { return nil }
    for key: Text in ["__type", "Code", "code"] {
      if let type = document.member(key, of: document.root).flatMap({ document.text($0) }) {
        return type.onOneLine
      }
    }
    return nil
  }

  private static func described(_ message: ResponseMessage) -> String {
    "\(message.head.status)\(errorType(message).map { " \($0)" } ?? "")"
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
