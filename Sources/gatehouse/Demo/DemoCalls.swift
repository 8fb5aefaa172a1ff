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
    let document = try? JSONDocument(parsing: answer.bodyArray)
    message = document.flatMap { document in
      let member =
        document.member("Message", of: document.root) ?? document.member("message", of: document.root)
      return member.flatMap { document.text($0)?.string }
    }
  }
}

/// Sends the demo's calls to the gateway.
final class DemoClient {
  private let client: ServiceClient
  /// Of its own, because signing keys are remembered by the id of the access key.
  private let clientWithWrongSecret: ServiceClient

  private static let timeout: Int64 = 15_000_000_000

  init(_ tenant: DemoTenant, gateway: SocketAddress, loop: EventLoop) {
    func client(_ secret: String) -> ServiceClient {
      ServiceClient(
        PoolTarget(host: gateway.host.description, port: gateway.port, tls: nil), host: gateway.description,
        region: DemoTenant.region,
        credentials: Credentials(accessKeyId: Text(tenant.key.id), secret: Secret(secret.utf8)),
        connectTimeout: Self.timeout, timeout: Self.timeout, loop: loop)
    }
    self.client = client(tenant.key.secret)
    clientWithWrongSecret = client(AccessKeyPair().secret)
  }

  func send(_ call: DemoCall) async throws(ExchangeFailure) -> DemoAnswer {
    let request = ServiceRequest(
      method: "POST", path: Array("/app-instance-users".utf8), body: Array(call.body.utf8))
    let client = call.signsWithWrongSecret ? clientWithWrongSecret : client
    return DemoAnswer(try await client.send(request))
  }

  func close() {
    client.close()
    clientWithWrongSecret.close()
  }
}
