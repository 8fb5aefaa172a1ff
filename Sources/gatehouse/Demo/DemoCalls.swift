import HTTPWire
import OpenSSLCrypto
import Primitives
import SigV4
import StrictJSON
import Transport

/// One request of the demo, and what should become of it.
struct DemoCall {
  /// What is sent, for people.
  let title: String
  let body: String
  var signsWithWrongSecret = false
  let status: Int
  let errorType: String?

  static let all = [
    DemoCall(
      title: "create crm-alice, with the tag CostCenter=4711",
      body: create("crm-alice", name: "Alice Example", costCenter: "4711"), status: 201, errorType: nil),
    DemoCall(
      title: "create crm-bob, without the tag CostCenter",
      body: create("crm-bob", name: "Bob Example", costCenter: nil), status: 403,
      errorType: "ForbiddenException"),
    DemoCall(
      title: "create crm-alice2 with the name \u{0410}lice, whose first letter is Cyrillic",
      body: create("crm-alice2", name: "\u{0410}lice", costCenter: "4711"), status: 403,
      errorType: "ForbiddenException"),
    DemoCall(
      title: "create crm-carol, signed with a wrong secret",
      body: create("crm-carol", name: "Carol Example", costCenter: "4711"), signsWithWrongSecret: true,
      status: 403, errorType: "InvalidSignatureException"),
    DemoCall(
      title: "create crm-dave in an AppInstance of somebody else",
      body: create(
        "crm-dave", name: "Dave Example", costCenter: "4711", appInstance: DemoTenant.otherAppInstance),
      status: 403, errorType: "ForbiddenException"),
  ]

  private static func create(
    _ id: String, name: String, costCenter: String?, appInstance: String = DemoTenant.appInstance
  ) -> String {
    let tags = costCenter.map { #","Tags":[{"Key":"CostCenter","Value":"\#($0)"}]"# } ?? ""
    return #"{"AppInstanceArn":"\#(appInstance)","AppInstanceUserId":"\#(id)","Name":"\#(name)","#
      + #""ClientRequestToken":"demo-\#(id)"\#(tags)}"#
  }
}

/// What came back.
struct DemoAnswer {
  let status: Int
  let errorType: String?
  let message: String?
  let changes: String?

  init(_ answer: ResponseMessage) {
    let head = answer.head
    status = head.status
    errorType = head.text(of: "x-amzn-errortype")
    changes = head.text(of: "x-gatehouse-changes")
    let document = try? JSONDocument(parsing: answer.body)
    message = document.flatMap { document in
      let member =
        document.member("Message", of: document.root) ?? document.member("message", of: document.root)
      return member.flatMap { document.text($0)?.string }
    }
  }
}

extension ResponseHead {
  fileprivate func text(of name: StaticString) -> String? {
    first(named: name).map { String(decoding: slice($0), as: UTF8.self) }
  }
}

/// Sends signed requests to the gateway.
final class DemoClient {
  private let address: SocketAddress
  private let tenant: DemoTenant
  private let loop: EventLoop
  private let pool: UpstreamPool
  private let signer = Signer(region: Text(DemoTenant.region))
  private var workspace = SigningWorkspace()

  private static let patience: Int64 = 15_000_000_000

  init(_ tenant: DemoTenant, gateway: SocketAddress, loop: EventLoop) throws(TransportError) {
    address = gateway
    self.tenant = tenant
    self.loop = loop
    pool = try UpstreamPool(
      target: PoolTarget(host: gateway.host.description, port: gateway.port, tls: nil),
      limits: .init(
        connections: 1, connectTimeout: Self.patience, idleTimeout: Self.patience, response: HTTPLimits()),
      loop: loop)
  }

  func send(_ call: DemoCall) async throws(ExchangeFailure) -> DemoAnswer {
    let deadline = loop.clock.monotonic().nanoseconds + Self.patience
    return DemoAnswer(try await pool.exchange(request(call), deadline: deadline))
  }

  func close() { pool.close() }

  private func request(_ call: DemoCall) -> [UInt8] {
    let body = Array(call.body.utf8)
    let path = Array("/app-instance-users".utf8)
    let host = Array(address.description.utf8)
    let contentType = Array("application/json".utf8)
    let method = Array("POST".utf8)
    var out: [UInt8] = []
    RequestWriter.appendLine(method: method, path: path, query: [], into: &out)
    out.append(field: "host", host)
    out.append(field: "content-type", contentType)
    out.append(field: "content-length", decimal: body.count)
    let secret = call.signsWithWrongSecret ? AccessKeyPair().secret : tenant.key.secret
    // Fresh for a wrong secret: signing keys are remembered by the id of the access key.
    if call.signsWithWrongSecret { workspace = SigningWorkspace() }
    defer { if call.signsWithWrongSecret { workspace = SigningWorkspace() } }
    signer.sign(
      OutboundRequest(
        method: method[...], path: path[...], canonicalQuery: [], host: host[...],
        contentType: contentType[...], payloadHash: SHA256.digest(body)),
      with: Credentials(accessKeyId: Text(tenant.key.id), secret: Secret(secret.utf8)),
      at: loop.clock.wallClock(), workspace: &workspace, into: &out)
    out.append("\r\n")
    return out + body
  }
}
