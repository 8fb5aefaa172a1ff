import ArgumentParser
import ChimeIdentity
import Configuration
import Gateway
import PolicyEngine
import PolicyTrials
import Primitives
import StrictJSON

/// Loads everything that `serve` would and prints each problem with its place.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Check configuration, tenants, policies and TLS files, or print the JSON Schema of one of them.",
    discussion: """
      EXAMPLES:
        gatehouse check --config gatehouse.json
        gatehouse check --format github
        gatehouse check --format sarif > check.sarif
        gatehouse check --schema policy > policy.schema.json
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FindingFormatOption
  @Option(help: "Print the JSON Schema of this kind of file and do nothing else.")
  var schema: ConfigurationSchema.Kind?

  func run() throws {
    if let schema {
      Console.data(
        lines: String(
          decoding: ConfigurationSchema.bytes(
            of: schema, knownOperations: Operation.allNames, knownRules: GatewayRule.allRuleIDs),
          as: UTF8.self))
      return
    }
    let findings = configOption.loader.findings(configPath: configOption.path)
    let problems = findings.problems + Self.ends(findings, at: .now) + Self.review(findings)
    let owners = Self.owners(of: findings.policies)
    let addressed = problems.map { $0.addressed(to: owners[$0.file]) }
    switch formatOption.format {
    case .text: for problem in addressed { Console.data(problem.line) }
    case .json: for problem in problems { Console.data(json: problem.json(owner: owners[problem.file])) }
    case .sarif: Console.data(sarif: addressed.map { ReviewFinding($0) })
    case .github: Console.data(workflowCommands: addressed.map { ReviewFinding($0) })
    }
    guard !problems.hasErrors else {
      for line in configOption.advice { Console.message(line) }
      throw ExitCode(ExitStatus.bad.rawValue)
    }
    Console.message(summary(of: findings))
  }

  /// Whom to ask about a file.
  private static func owners(of policies: PolicyFiles?) -> [String: Text] {
    let all =
      (policies?.documents ?? []).map { ($0.file, $0.owner) }
      + (policies?.exceptions ?? []).map { ($0.file, $0.owner) }
    return all.reduce(into: [:]) { owners, file in owners[file.0] = file.1 }
  }

  /// What has ended, or does so soon.
  private static func ends(_ findings: ConfigurationFindings, at now: WallClockTime) -> [Problem] {
    let certificates = findings.configuration?.certificates ?? []
    let keys = findings.tenants?.keyEnds ?? []
    return certificates.flatMap { $0.problems(at: now) } + keys.compactMap { $0.problem(at: now) }
      + (findings.policies?.exceptions ?? []).compactMap { $0.problem(at: now) }
  }

  /// What is wrong between the policies, or between them and the tenants.
  private static func review(_ findings: ConfigurationFindings) -> [Problem] {
    guard let policies = findings.policies else { return [] }
    let tenants = findings.tenants?.tenants.map { TenantFacts($0) } ?? []
    let (set, problems) = PolicySet.compile(
      documents: policies.documents, exceptions: policies.exceptions, tenants: tenants)
    return problems + set.advice
  }

  private func summary(of findings: ConfigurationFindings) -> String {
    let tenants = findings.tenants?.tenants.count ?? 0
    let policies = findings.policies?.documents.count ?? 0
    return "\(configOption.path): good, with \(tenants) tenant\(tenants == 1 ? "" : "s") and "
      + "\(policies) polic\(policies == 1 ? "y" : "ies")"
  }
}

extension ConfigurationSchema.Kind: ExpressibleByArgument {}

extension Console {
  static func data(sarif findings: [ReviewFinding]) {
    data(json: SARIFLog.bytes(of: findings, version: GatehouseVersion.current, in: Process.currentFolder))
  }

  static func data(workflowCommands findings: [ReviewFinding]) {
    let folder = Process.currentFolder
    for finding in findings { data(finding.workflowCommand(in: folder)) }
  }
}

extension Problem {
  /// With whom to ask.
  fileprivate func addressed(to owner: Text?) -> Problem {
    guard let owner else { return self }
    return Problem(
      file: file, position: position, severity: severity, isAboutTenants: isAboutTenants,
      message: "\(message) (owner: \(owner.onOneLine))")
  }

  /// One object on one line.
  fileprivate func json(owner: Text?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("file")
    writer.string(file)
    writer.key("line")
    writer.integer(position.line)
    writer.key("column")
    writer.integer(position.column)
    writer.key("severity")
    writer.string(severity.rawValue)
    writer.key("message")
    writer.string(message)
    if let owner {
      writer.key("owner")
      writer.string(owner)
    }
    writer.endObject()
    return writer.bytes
  }
}
