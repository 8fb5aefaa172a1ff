import HTTPWire
import Primitives
import TestSupport
import Transport

/// What became of one request that the gateway sent, or tried to send.
struct Exchange {
  let number: Int
  let attempt: Attempt
  let life: Int
  let begun: Int64
  /// Whether upstream got something of it.
  var wasSent = false
  /// Whether it made or changed something.
  var hadEffect = false
  var ended: Int64?
  /// Of its answer; `nil`: none came, or none that can be read.
  var status: Int?
}

/// The stand-in for the service: it recognises a ClientRequestToken as AWS does, and it fails as networks and services do.
struct SimulatedService {
  /// How it is at the moment.
  enum Mood: CaseIterable {
    case well, flaky, slow, away
  }

  /// How one exchange goes.
  struct Course {
    /// Until upstream has carried it out, nanoseconds, and until its answer is there.
    var arrival: Int64
    var answer: Int64
    var isCarriedOut = true
    /// `nil`: what the request deserves.
    var result: Result<Int, ExchangeFailure>?
  }

  /// What was made under a token, by its instance: it is a token of the account's, whoever brought it.
  private struct Made {
    let content: String
    let user: String
  }

  private(set) var exchanges: [Exchange] = []
  private var made: [String: Made] = [:]
  private var users: Set<String> = []
  var mood = Mood.well

  mutating func begin(_ attempt: Attempt, life: Int, now: Int64) -> Int {
    exchanges.append(Exchange(number: exchanges.count, attempt: attempt, life: life, begun: now))
    return exchanges.count - 1
  }

  mutating func note(_ number: Int, _ change: (inout Exchange) -> Void) { change(&exchanges[number]) }

  func course(_ entropy: inout SeededGenerator) -> Course {
    let slow = mood == .slow ? 30 : 2
    var course = Course(
      arrival: .milliseconds(0...3, &entropy),
      answer: entropy.happens(slow) ? .milliseconds(200...6000, &entropy) : .milliseconds(0...20, &entropy))
    let failing =
      switch mood {
      case .well: 3
      case .flaky: 40
      case .slow: 10
      case .away: 90
      }
    guard entropy.happens(failing) else { return course }
    course.isCarriedOut = entropy.happens(50)
    switch Int.random(in: 0..<(mood == .away ? 4 : 10), using: &entropy) {
    case 0, 1: course.result = .failure(.notSent(.closed))
    case 2: course.result = .failure(.timedOut(sent: false))
    case 3: course.result = .failure(.timedOut(sent: true))
    case 4: course.result = .failure(.lost(.closed))
    case 5: course.result = .failure(.unreadable(.bareLF))
    case 6: course.result = .success(429)
    case 7: course.result = .success(500)
    case 8: course.result = .success(503)
    default: course.result = .success([400, 403, 504].randomElement(using: &entropy) ?? 400)
    }
    if case .success(let status) = course.result, status < 500 { course.isCarriedOut = false }
    return course
  }

  /// Carries a request out.
  /// - Returns: status and body of the answer it deserves.
  mutating func carryOut(_ request: OutboundText) -> (status: Int, body: String, hadEffect: Bool) {
    switch request.method {
    case "GET": return (200, "{}", false)
    case "PUT": return (200, "{}", true)
    default: break
    }
    guard let token = request.token else { return (201, request.answer, true) }
    if let known = made["\(request.target) \(token)"] {
      guard known.content == request.content else { return (409, #"{"Code":"Conflict"}"#, false) }
      return (201, known.user, false)
    }
    made["\(request.target) \(token)"] = Made(content: request.content, user: request.answer)
    guard request.target != "/app-instance-users" || users.insert(request.answer).inserted else {
      made["\(request.target) \(token)"] = nil
      return (409, #"{"Code":"Conflict"}"#, false)
    }
    return (201, request.answer, true)
  }

  static func response(to exchange: Int, status: Int, body: String) -> ResponseMessage? {
    let text =
      "HTTP/1.1 \(status) X\r\nx-amzn-RequestId: up-\(exchange)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    var parser = ResponseParser(limits: HTTPLimits())
    guard case .response(let message)? = try? parser.next(adding: Array(text.utf8).span.bytes) else {
      return nil
    }
    return message
  }
}

/// A request as upstream reads it.
struct OutboundText {
  let text: String
  let method: String
  let target: String
  let content: String

  init(_ bytes: [UInt8]) {
    text = String(decoding: bytes, as: UTF8.self)
    let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
    method = words.first.map(String.init) ?? ""
    target = words.count > 1 ? String(words[1]) : ""
    content = text.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
  }

  /// What the attempt is known by.
  var attempt: Int? { between("User-Agent: ~", "~").flatMap { Int($0) } }
  var token: String? { between(#""ClientRequestToken":""#, "\"") }

  /// What creating answers; the user's ARN.
  var answer: String {
    guard let id = between(#""AppInstanceUserId":""#, "\""), let arn = between(#""AppInstanceArn":""#, "\"")
    else { return "{}" }
    return #"{"AppInstanceUserArn":"\#(arn)/user/\#(id)"}"#
  }

  private func between(_ start: String, _ end: String) -> String? {
    guard let first = text.firstRange(of: start) else { return nil }
    let rest = text[first.upperBound...]
    return rest.firstRange(of: end).map { String(rest[..<$0.lowerBound]) }
  }
}
