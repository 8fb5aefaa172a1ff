import HTTPWire
import OpenSSLCrypto
import Primitives
import SigV4
import TestSupport

/// What a caller wants done. Its repeats are the same bytes, but for the User-Agent, which is not signed and tells the
/// attempts apart, also upstream.
struct Intention {
  enum Kind: CaseIterable {
    case create, createWithoutToken, register, describe, update
    // What is never to reach upstream.
    case denied, invalid, notJSON, foreign, unknownOperation, notAllowed, unsigned, wrongSecret, unreadable

    var isForwarded: Bool {
      switch self {
      case .create, .createWithoutToken, .register, .describe, .update: true
      default: false
      }
    }

    /// Whether a repeat is answered with what the first one got.
    var isKept: Bool {
      switch self {
      case .create, .createWithoutToken, .register: true
      default: false
      }
    }
  }

  let number: Int
  let kind: Kind
  let application: Scenario.Application
  let instance: String
  /// The ClientRequestToken, or what stands for it.
  let token: String
  /// Of two under one token the same when their content is.
  let content: Int
  /// The request's bytes before the User-Agent's value, and behind it.
  let parts: (String, String)

  /// Under which repeats of it are known.
  var key: String { "\(application.id) \(instance) \(token)" }

  /// Whether it may get the answer to `other`.
  func isRepeat(of other: Intention) -> Bool {
    kind.isKept && kind == other.kind && key == other.key && content == other.content
  }

  func bytes(userAgent: String) -> [UInt8] { Array((parts.0 + userAgent + parts.1).utf8) }
}

/// One request as it arrives.
///
/// `@unchecked Sendable`: everything of a simulation is on one thread.
final class Attempt: @unchecked Sendable {
  let number: Int
  let intention: Intention
  let life: Int
  let begun: Int64
  var answer: Answer?

  init(_ number: Int, _ intention: Intention, life: Int, begun: Int64) {
    self.number = number
    self.intention = intention
    self.life = life
    self.begun = begun
  }

  /// Its first byte stands nowhere else in a record.
  var userAgent: String { "~\(number)~" }
}

/// What a caller got.
struct Answer {
  let status: Int
  let fields: String
  let body: String

  func field(_ name: String) -> String? {
    fields.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }.map {
      String($0.dropFirst(name.count + 2))
    }
  }

  var id: String { field("x-gatehouse-request-id") ?? "" }
  /// The number of upstream's answer that it is; `nil`: it is the gateway's own.
  var exchange: Int? {
    field("x-amzn-RequestId").flatMap { $0.hasPrefix("up-") ? Int($0.dropFirst(3)) : nil }
  }
}

/// The callers: what they want, and how they say it.
struct Callers {
  private(set) var intentions: [Intention] = []

  mutating func next(
    repeats: Int, at time: WallClockTime, _ entropy: inout SeededGenerator
  ) -> Intention {
    if entropy.happens(repeats), let former = intentions.suffix(8).randomElement(using: &entropy) {
      // Mostly the same bytes again; else signed anew, and by its application or another that knows the token. The body
      // is the same or another one.
      guard former.kind == .create, entropy.happens(40) else { return former }
      let content = entropy.happens(50) ? former.content : intentions.count
      return make(.create, under: (former.token, former.instance, content), at: time, &entropy)
    }
    let kind =
      entropy.happens(75)
      ? [.create, .create, .createWithoutToken, .register, .describe, .update].randomElement(using: &entropy)
      : Intention.Kind.allCases.randomElement(using: &entropy)
    return make(kind ?? .create, under: nil, at: time, &entropy)
  }

  private mutating func make(
    _ kind: Intention.Kind, under known: (token: String, instance: String, content: Int)?,
    at time: WallClockTime, _ entropy: inout SeededGenerator
  ) -> Intention {
    let number = intentions.count
    let possible = Scenario.applications.filter {
      known == nil || $0.instances.contains(known?.instance ?? "")
    }
    let application = possible.randomElement(using: &entropy) ?? Scenario.applications[0]
    let instance = known?.instance ?? application.instances.randomElement(using: &entropy) ?? "alpha"
    let (token, content) = (known?.token ?? "token-\(number)", known?.content ?? number)
    let message = SimulatedMessage(kind, number: content, instance: instance, token: token)
    let intention = Intention(
      number: number, kind: kind, application: application, instance: instance, token: token,
      content: content, parts: message.signed(by: application, at: time))
    intentions.append(intention)
    return intention
  }
}

/// Method, target and content of one kind of request.
struct SimulatedMessage {
  private let kind: Intention.Kind
  private let method: String
  private let target: String
  private let content: String

  init(_ kind: Intention.Kind, number: Int, instance: String, token: String) {
    self.kind = kind
    let user =
      "app-instance-users/"
      + "arn%3Aaws%3Achime%3Aus-east-1%3A123456789012%3Aapp-instance%2F\(instance)%2Fuser%2Fu-\(number)"
    func create(name: String = "Alice", arn: String = Scenario.arn(instance), token: String? = token)
      -> String
    {
      #"{"AppInstanceArn":"\#(arn)","AppInstanceUserId":"u-\#(number)","Name":"\#(name)""#
        + (token.map { #","ClientRequestToken":"\#($0)""# } ?? "") + "}"
    }
    switch kind {
    case .describe: (method, target, content) = ("GET", "/\(user)", "")
    case .update:
      (method, target, content) = ("PUT", "/\(user)", #"{"Name":"n-\#(number)","Metadata":"m"}"#)
    case .register:
      (method, target) = ("POST", "/\(user)/endpoints")
      content =
        #"{"Type":"APNS","ResourceArn":"arn:aws:mobiletargeting:us-east-1:123456789012:apps/a","#
        + #""EndpointAttributes":{"DeviceToken":"d-\#(number)"},"ClientRequestToken":"\#(token)"}"#
    case .unknownOperation: (method, target, content) = ("PATCH", "/app-instance-users", "{}")
    case .notAllowed: (method, target, content) = ("POST", "/app-instances", #"{"Name":"x"}"#)
    default:
      (method, target) = ("POST", "/app-instance-users")
      content =
        switch kind {
        case .denied: create(name: "a test")
        case .invalid: #"{"AppInstanceArn":"\#(Scenario.arn(instance))","Nome":"x"}"#
        case .notJSON: "{"
        case .foreign: create(arn: Scenario.arn("delta"))
        case .createWithoutToken: create(token: nil)
        default: create()
        }
    }
  }

  func signed(by application: Scenario.Application, at time: WallClockTime) -> (String, String) {
    let start = "\(method) \(target) HTTP/1.1\r\nHost: gateway.local\r\nUser-Agent: "
    let secret = kind == .wrongSecret ? "another" : application.secret
    let signer = Signer(
      SigningScope(region: "us-east-1"),
      credentials: Credentials(
        accessKeyId: Text(application.keyId), secret: Secret(Array(secret.utf8)), sessionToken: nil,
        expiration: nil), host: Array("gateway.local".utf8))
    let (verb, path, type) = (Array(method.utf8), Array(target.utf8), Array("application/json".utf8))
    let query: [UInt8] = []
    var workspace = SigningWorkspace()
    var head = ByteBuffer()
    if !content.isEmpty {
      head.append(string: "\r\nContent-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n")
    } else {
      head.append("\r\n")
    }
    if kind != .unsigned {
      signer.sign(
        OutboundRequest(
          method: verb.span, path: path.span, canonicalQuery: query.span,
          contentType: content.isEmpty ? nil : type.span, payloadHash: SHA256.digest(Array(content.utf8))),
        at: time, workspace: &workspace, into: &head)
    }
    head.append(string: "\r\n\(content)")
    return (start, String(decoding: head.array, as: UTF8.self))
  }
}
