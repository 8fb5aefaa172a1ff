import Gateway
import ArgumentParser
import ChimeIdentity
import Configuration
import Patterns
import PolicyEngine
import Primitives
import StrictJSON

/// Judges one request body as the gateway would: confinement, API model and policy, but not authentication or rates.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract:
      "Evaluate one request offline: the decision, each violation and change, and the body to be sent.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Option(help: "The tenant whose request it is.")
  var tenant: String
  @Option(help: "The operation that is called.")
  var operation = "CreateAppInstanceUser"
  @Option(help: "The request target, for operations with facts in path or query.")
  var path: String?
  @Argument(help: "File with the request body, or - for standard input.")
  var file: String

  func run() throws {
    let call = try identify()
    let inquiry = try load()
    let body = try readBody()
    switch inquiry.judge(call, body: body) {
    case .invalid(let message):
      switch formatOption.format {
      case .text: Console.data("invalid: \(message)")
      case .json: Console.data(invalidExplanationJSON(message: message))
      }
      throw ExitCode(ExitStatus.denied.rawValue)
    case .decided(let explanation):
      switch formatOption.format {
      case .text: ExplanationText.lines(of: explanation).forEach { Console.data($0) }
      case .json: Console.data(explanation.json())
      }
      guard explanation.decision.isAllowed else { throw ExitCode(ExitStatus.denied.rawValue) }
    }
  }

  /// The call that operation and target name.
  private func identify() throws -> IdentifiedCall {
    guard let known = Operation(name: Text(operation)) else {
      let hint = nearest(to: operation, among: Operation.allNames).map { "; did you mean `\($0)`?" } ?? ""
      throw ValidationError("unknown operation `\(operation)`\(hint)")
    }
    let target = Array((path ?? known.model.plainTarget).utf8)
    let parts = target.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    do throws(IdentificationFailure) {
      let call = try Operation.identify(
        method: known.model.method.name.utf8[...], path: parts[0], query: parts.count > 1 ? parts[1] : nil)
      guard call.operation == known else {
        throw .unknownOperation
      }
      return call
    } catch {
      throw ValidationError(
        "`\(String(decoding: target, as: UTF8.self))` is no target of \(operation): \(error.message); "
          + "expected --path \(known.model.plainTarget)")
    }
  }

  private func load() throws -> Inquiry {
    let configuration = try configOption.loadConfiguration()
    let entries = try TenantsOnDisk(configOption).entries()
    guard let entry = entries.first(where: { $0.id == Text(tenant) }) else {
      throw CommandFailure(.bad, "there is no tenant `\(tenant)` in \(configuration.tenants.path)")
    }
    let (files, problems) = configOption.loader.policies(of: configuration, configPath: configOption.path)
    guard let files else { throw CommandFailure(configuration: problems) }
    let (policies, doubts) = PolicySet.compile(
      documents: files.documents, tenants: entries.map { TenantFacts($0) })
    // What `check` says about policies that can be evaluated all the same.
    for doubt in problems + doubts { Console.talk(doubt.line) }
    return Inquiry(tenant: entry, policies: policies)
  }

  private func readBody() throws(CommandFailure) -> [UInt8] {
    do throws(FileFault) {
      return file == "-" ? try DiskFiles.readStandardInput() : try DiskFiles().read(file).bytes
    } catch {
      throw CommandFailure(.bad, "\(file): \(error.message)")
    }
  }
}

extension OperationModel {
  /// The target that names the operation when nothing is put into its path.
  fileprivate var plainTarget: String {
    pathTemplate.string + (discriminator.map { "?\($0.name)=\($0.value)" } ?? "")
  }
}

extension TenantFacts {
  init(_ entry: TenantEntry) {
    self.init(id: entry.id, labels: Dictionary(entry.labels.map { ($0.key, $0.value) }) { first, _ in first })
  }
}

/// One tenant's standing: what its requests are judged by.
private struct Inquiry {
  enum Outcome {
    /// It breaks the API model; the message says how.
    case invalid(String)
    case decided(Explanation)
  }

  let tenant: TenantEntry
  let policies: PolicySet

  func judge(_ call: IdentifiedCall, body: [UInt8]) -> Outcome {
    guard tenant.operations.contains(call.operation.name) else {
      let message = "the tenant may not call \(call.operation.name)"
      let request = GovernedRequest(call: call, document: try? JSONDocument(parsing: body))
      return refused(request, rule: "tenant.operation", field: "operation", message)
    }
    do {
      let document = body.isEmpty ? nil : try JSONDocument(parsing: body)
      if let refusal = try confine(call, document) { return refusal }
      try ModelValidator.validate(call, document: document)
      return .decided(explain(GovernedRequest(call: call, document: document)))
    } catch let error as JSONSyntaxError {
      return .invalid("the body is not strict JSON: \(error.message), at byte \(error.offset)")
    } catch let error as ModelViolation {
      return .invalid(error.message)
    } catch {
      return .invalid("\(error)")
    }
  }

  private func confine(_ call: IdentifiedCall, _ document: JSONDocument?) throws(ModelViolation) -> Outcome? {
    for subject in try ModelValidator.confinementSubjects(of: call, document: document) {
      let appInstance = subject.arn?.appInstanceArn
      if let appInstance, tenant.appInstances.contains(where: { $0.matches(appInstance) }) { continue }
      let request = GovernedRequest(call: call, document: document)
      let accepted = tenant.appInstances.map(\.source.string).joined(separator: ", ")
      let message = "it names no AppInstance that the tenant may use; accepted: \(accepted)"
      return refused(request, rule: "tenant.appInstance", field: subject.member.string, message)
    }
    return nil
  }

  /// A refusal of the gateway's own, before policy.
  private func refused(_ request: GovernedRequest, rule: String, field: String, _ message: String) -> Outcome
  {
    let (noPolicies, _) = PolicySet.compile(documents: [], tenants: [])
    var explanation = noPolicies.explain(request, tenant: TenantFacts(tenant))
    explanation.decision.violations = [
      Violation(policy: "gatehouse", rule: rule, field: field, message: message)
    ]
    return .decided(explanation)
  }

  /// As the gateway does it, a missing token is filled in only when the request is allowed.
  private func explain(_ request: GovernedRequest) -> Explanation {
    let facts = TenantFacts(tenant)
    let explanation = policies.explain(request, tenant: facts)
    guard explanation.decision.isAllowed, request.lacksClientRequestToken else { return explanation }
    var request = request
    let change = request.fillClientRequestToken(RequestID(from: SystemEntropy()).text)
    var filled = policies.explain(request, tenant: facts, after: [change])
    filled.decision.changes = explanation.decision.changes + [change]
    return filled
  }
}
