import ArgumentParser
import ChimeIdentity
import Configuration
import Patterns
import PolicyEngine
import PolicyTrials
import Primitives

/// Runs the cases of `*.test.json` files against a folder of policies.
struct PolicyTestCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, junit, sarif, github }

  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run policy test cases.",
    discussion: """
      Without PATH the *.test.json files of the policies folder and the folders in it are run. Ends with 0 when all \
      cases passed, 1 when one failed or none was found, 78 when the policies cannot be loaded.

      EXAMPLES:
        gatehouse test --policies policies --require-coverage
        gatehouse test --policies policies --format junit > policies.xml
        gatehouse test --policies policies --format github
        gatehouse test --filter 'cost cent(er|re)' policies/cost.test.json
      """)

  @OptionGroup var configOption: ConfigOption
  @Option(
    help: ArgumentHelp(
      "How results are printed; JSON is one object a line, junit XML for CI systems, sarif SARIF 2.1.0, github workflow "
        + "commands that annotate a pull request."))
  var format = Format.text
  @Option(help: "The folder of the policies to test; the configuration's when absent.")
  var policies: String?
  @Option(help: "Run only the cases whose name this PCRE2 expression occurs in.")
  var filter: String?
  @Flag(help: "Fail when there is a rule that no case makes fail.")
  var requireCoverage = false
  @Argument(help: "Test files, or folders to look for them in.")
  var paths: [String] = []

  func run() throws {
    let filter = try filterPattern()
    let folder = try policiesFolder()
    let set = try compile(folder)
    let (files, unreadable) = try read(paths.isEmpty ? [folder] : paths, policies: folder)
    let now = WallClockTime.now
    var results: [TrialResult] = []
    for file in files {
      for trial in file.cases where filter.map({ $0.occurs(in: Text(trial.name)) == .matched }) ?? true {
        let result = set.run(trial, of: file.file, at: now)
        show(result)
        results.append(result)
      }
    }
    let run = TrialRun(results, unreadable: unreadable, policies: set)
    conclude(run)
    if results.isEmpty, unreadable.isEmpty { throw CommandFailure(.bad, "no case matches the filter") }
    guard run.isSuccess else { throw ExitCode(ExitStatus.bad.rawValue) }
    if requireCoverage, !run.uncovered.isEmpty {
      throw CommandFailure(.bad, "coverage is required, and some rules are made to fail by no case")
    }
  }

  private func filterPattern() throws -> Pattern? {
    guard let filter else { return nil }
    do throws(PatternError) {
      return try Pattern(filter)
    } catch {
      throw ValidationError("--filter: \(error.message) at byte \(error.offset)")
    }
  }

  private func policiesFolder() throws(CommandFailure) -> String {
    if let policies { return policies }
    do throws(CommandFailure) {
      return try configOption.loadConfiguration().policies.path
    } catch {
      throw CommandFailure(
        .configuration,
        lines: error.lines + [
          "gatehouse: to test a folder of policies without a configuration, use --policies"
        ])
    }
  }

  private func compile(_ folder: String) throws(CommandFailure) -> PolicySet {
    let (loaded, problems) = configOption.loader.policies(inFolder: folder)
    guard let loaded else { throw CommandFailure(configuration: problems) }
    // A case may be about a tenant that lacks a label, so no tenant is known here.
    let (set, doubts) = PolicySet.compile(
      documents: loaded.documents, exceptions: loaded.exceptions, tenants: [])
    guard !doubts.preventUse else { throw CommandFailure(configuration: problems + doubts) }
    for doubt in problems + doubts { Console.message(doubt.line) }
    return set
  }

  private func read(
    _ paths: [String], policies folder: String
  ) throws(CommandFailure) -> (files: [PolicyTestFile], unreadable: [(file: String, problems: [Problem])]) {
    var files: [PolicyTestFile] = []
    var unreadable: [(file: String, problems: [Problem])] = []
    var seen: Set<String> = []
    for path in paths {
      for file in try testFiles(at: path, policies: folder) where seen.insert(file).inserted {
        let (tests, problems) = configOption.loader.policyTests(
          at: file, knownRules: GatewayRule.allRuleIDs)
        for problem in problems { Console.message(problem.line) }
        if let tests { files.append(tests) } else { unreadable.append((file, problems)) }
      }
    }
    return (files, unreadable)
  }

  private func testFiles(at path: String, policies folder: String) throws(CommandFailure) -> [String] {
    do throws(FileFault) {
      let found = try configOption.loader.testFiles(at: path, policies: folder)
      for (folder, reason) in found.skipped {
        Console.message("\(folder.onOneLine): not looked into: \(reason.onOneLine)")
      }
      if !found.files.isEmpty { return found.files }
    } catch {
      throw CommandFailure(.bad, "\(path): \(error.message)")
    }
    throw CommandFailure(.bad, "\(path): no *.test.json in it")
  }

  private func show(_ result: TrialResult) {
    switch format {
    case .text: result.lines.forEach { Console.data($0) }
    case .json: Console.data(json: result.json())
    case .junit, .sarif, .github: break
    }
  }

  private func conclude(_ run: TrialRun) {
    switch format {
    case .text: run.summary.forEach { Console.data($0) }
    case .json: Console.data(json: run.summaryJSON())
    case .junit: Console.data(lines: run.junit())
    case .sarif: Console.data(sarif: run.findings)
    case .github:
      Console.data(workflowCommands: run.findings)
      run.summary.forEach { Console.message($0.text) }
    }
  }
}
