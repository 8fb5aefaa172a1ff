import Gateway
import ArgumentParser
import ChimeIdentity
import Configuration
import PolicyEngine
import PolicyTrials
import Primitives

/// Judges one request body as the gateway would: confinement, API model and policy, but not authentication or rates.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract:
      "Evaluate one request offline: the decision, each violation and change, and the body to be sent.",
    discussion: """
      EXAMPLES:
        gatehouse explain --tenant crm request.json
        gatehouse explain --tenant crm --format json - <request.json
        gatehouse explain --tenant crm --operation TagResource tags.json
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Option(help: "The tenant whose request it is.")
  var tenant: String
  @Option(help: "The operation that is called.")
  var operation = "CreateAppInstanceUser"
  @Option(help: "The request target, for operations with facts in path or query.")
  var path: String?
  @Option(help: "The region of its signature; when absent, one that the tenant may call in.")
  var region: String?
  @Argument(help: "File with the request body, or - for standard input.")
  var file: String

  func run() throws {
    let call = try identify()
    let inquiry = try load()
    let body = try readBody()
    switch inquiry.judge(
      call, body: body, at: .now, in: region.map { Text($0) },
      token: RequestID(from: SystemEntropy()).text)
    {
    case .invalid(let message):
      switch formatOption.format {
      case .text: Console.data("invalid: \(message.onOneLine)")
      case .json: Console.data(json: invalidExplanationJSON(message: message))
      }
      throw ExitCode(ExitStatus.denied.rawValue)
    case .decided(let explanation):
      switch formatOption.format {
      case .text:
        if Console.isTerminal {
          for line in ExplanationText.report(of: explanation) { Console.data(line) }
        } else {
          for line in ExplanationText.lines(of: explanation) { Console.data(line) }
        }
      case .json: Console.data(json: explanation.json())
      }
      guard explanation.decision.isAllowed else { throw ExitCode(ExitStatus.denied.rawValue) }
    }
  }

  /// The call that operation and target name.
  private func identify() throws -> IdentifiedCall {
    guard let known = Operation(name: Text(operation)) else {
      let hint = nearest(to: operation, among: Operation.allNames).map { "; did you mean `\($0)`?" } ?? ""
      throw ValidationError("unknown operation `\(operation.onOneLine)`\(hint)")
    }
    do throws(TargetFault) {
      return try CallTarget.identify(known, target: path.map { Text($0) })
    } catch {
      throw ValidationError("--path: \(error.message)")
    }
  }

  private func load() throws -> Inquiry {
    let configuration = try configOption.loadConfiguration()
    try checkRegion(configuration.upstream)
    let entries = try TenantsOnDisk(configOption).entries()
    guard let entry = entries.first(where: { $0.id == Text(tenant) }) else {
      throw CommandFailure(unknownTenant: tenant, among: entries.map(\.id), in: configuration.tenants.path)
    }
    let (files, problems) = configOption.loader.policies(of: configuration, configPath: configOption.path)
    guard let files else { throw CommandFailure(configuration: problems) }
    let (policies, doubts) = PolicySet.compile(
      documents: files.documents, exceptions: files.exceptions, tenants: entries.map { TenantFacts($0) })
    guard !doubts.preventUse else { throw CommandFailure(configuration: problems + doubts) }
    // What `check` says about policies that can be evaluated all the same.
    for doubt in problems + doubts { Console.message(doubt.line) }
    return Inquiry(policies: policies, tenant: TenantFacts(entry))
  }

  private func checkRegion(_ upstream: GatewayConfiguration.Upstream) throws {
    let served = upstream.regions.all.map(\.name)
    guard let region, !served.contains(region) else { return }
    let hint =
      nearest(to: region, among: served).map { "did you mean `\($0)`?" }
      ?? "expected \(served.map { "`\($0)`" }.joined(separator: " or "))"
    throw ValidationError("the configuration serves no region `\(region.onOneLine)`; \(hint)")
  }

  private func readBody() throws(CommandFailure) -> [UInt8] {
    do throws(FileFault) {
      return file == "-" ? try DiskFiles.readStandardInput() : try DiskFiles().read(file).bytes
    } catch {
      throw CommandFailure(.bad, "\(file): \(error.message)")
    }
  }
}

extension TenantFacts {
  init(_ entry: TenantEntry) {
    self.init(
      id: entry.id, labels: Dictionary(entry.labels.map { ($0.key, $0.value) }) { first, _ in first },
      operations: Set(entry.operations), appInstances: entry.appInstances,
      regions: entry.regions?.map(\.value))
  }
}
