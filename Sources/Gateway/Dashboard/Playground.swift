internal import Admin
internal import ChimeIdentity
internal import Configuration
internal import PolicyEngine
internal import PolicyTrials
internal import Primitives
internal import StrictJSON

/// `POST /api/explain`: a request judged by the policies that are in force, and not sent. What `gatehouse explain` prints.
struct Playground {
  private let snapshot: Snapshot
  private let now: WallClockTime

  private static let members = ["tenant", "operation", "path", "region", "request"]

  private struct Fault: Error {
    let message: String
  }

  init(_ snapshot: Snapshot, at now: WallClockTime) {
    self.snapshot = snapshot
    self.now = now
  }

  func answer(_ body: [UInt8]) -> APIAnswer {
    do throws(Fault) {
      return try judge(Self.read(body))
    } catch {
      return .error(400, error.message)
    }
  }

  private func judge(_ question: JSONDocument) throws(Fault) -> APIAnswer {
    let tenant = try tenant(of: question)
    let call = try Self.call(of: question)
    let region = try Self.text("region", of: question)
    let served = snapshot.configuration.upstream.regions.all.map(\.name)
    if let region, !served.contains(region) {
      throw Fault(
        message:
          "the configuration serves no region `\(region.onOneLine)`; expected \(served.map { "`\($0)`" }.joined(separator: " or "))"
      )
    }
    let inquiry = Inquiry(policies: snapshot.policies, tenant: TenantFacts(tenant))
    // Such a token as would be filled in: nobody sends the request.
    let token = RequestID(from: SystemEntropy()).text
    switch inquiry.judge(
      call, body: Self.requestBody(of: question), at: now, in: region.map { Text($0) }, token: token)
    {
    case .invalid(let message): return APIAnswer(body: invalidExplanationJSON(message: message))
    case .decided(let explanation):
      let report = ExplanationText.report(of: explanation).map(\.text)
      return APIAnswer(body: explanation.json(report: report))
    }
  }

  private static func read(_ body: [UInt8]) throws(Fault) -> JSONDocument {
    let document: JSONDocument
    do throws(JSONSyntaxError) {
      document = try JSONDocument(parsing: body)
    } catch {
      throw Fault(message: "the body is not strict JSON: \(error.message) at byte \(error.offset)")
    }
    guard document.kind(document.root) == .object else {
      throw Fault(message: "expected an object with `tenant` and `request`")
    }
    for (name, _) in document.members(document.root) {
      let name = document.text(name)?.string ?? ""
      guard members.contains(name) else {
        let hint = nearest(to: name, among: members).map { "; did you mean `\($0)`?" } ?? ""
        throw Fault(message: "unknown member `\(name.onOneLine)`\(hint)")
      }
    }
    return document
  }

  private func tenant(of question: JSONDocument) throws(Fault) -> Tenant {
    guard let id = try Self.text("tenant", of: question) else {
      throw Fault(message: "`tenant` is missing; expected the id of a tenant")
    }
    if let tenant = snapshot.tenants.tenant(Text(id)) { return tenant }
    let known = snapshot.tenants.tenants.map(\.id.string)
    let hint = nearest(to: id, among: known).map { "; did you mean `\($0)`?" } ?? ""
    throw Fault(message: "there is no tenant `\(id.onOneLine)`\(hint)")
  }

  private static func call(of question: JSONDocument) throws(Fault) -> IdentifiedCall {
    let name = try text("operation", of: question) ?? "CreateAppInstanceUser"
    guard let operation = Operation(name: Text(name)) else {
      let hint = nearest(to: name, among: Operation.allNames).map { "; did you mean `\($0)`?" } ?? ""
      throw Fault(message: "unknown operation `\(name.onOneLine)`\(hint)")
    }
    let target = try text("path", of: question).map { Text($0) }
    do throws(TargetFault) {
      return try CallTarget.identify(operation, target: target)
    } catch {
      throw Fault(message: "path: \(error.message)")
    }
  }

  /// As it was written: the request's own bytes are judged. None is an empty body.
  private static func requestBody(of question: JSONDocument) -> [UInt8] {
    question.member("request", of: question.root).map { Array(question.bytes[question.source($0)]) } ?? []
  }

  private static func text(_ name: Text, of question: JSONDocument) throws(Fault) -> String? {
    guard let node = question.member(name, of: question.root), question.kind(node) != .null else {
      return nil
    }
    guard let text = question.text(node) else { throw Fault(message: "`\(name)` must be a string") }
    return text.string
  }
}
