import ArgumentParser
import AuditIndex
import AuditStore
import AuditTrail
import Configuration
import FileWriting
import PolicyLearning
import Primitives
import StrictJSON

/// Proposes policies from what the journal's requests have in common.
struct LearnCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learn",
    abstract: "Propose policies, in warn mode, from what the audited requests have in common.",
    discussion: """
      DIR gets learnt.json (rules that every request keeps), learnt-nearly.json (rules that at least --share percent keep, \
      which somebody may have meant) and learnt.test.json (cases from the journal, with what is in them). Each rule is \
      printed with the share of requests that it fits, and everything of which no rule could be learnt with the reason. \
      Only requests that were allowed and carried out count.

      EXAMPLES:
        gatehouse learn --since 30d --output learnt
        gatehouse learn --since 30d --tenant crm --output learnt-crm
        gatehouse learn --directory /backup/audit --output learnt --share 90
      """)

  @OptionGroup var journal: JournalOption
  @OptionGroup var formatOption: FormatOption
  @OptionGroup var timeRange: TimeRangeOption
  @Option(help: "Only requests of this tenant; the policies then match it alone.")
  var tenant: String?
  @Option(help: "The folder for the policies; files in it are not replaced.")
  var output: String
  @Option(help: "Percent of the requests that must keep a rule which not all of them keep.")
  var share = 95.0
  @Option(help: "So many creations there must be at least.")
  var minimum = 20

  func validate() throws {
    guard share > 50, share <= 100 else { throw ValidationError("--share must be above 50, and at most 100") }
    guard minimum > 0 else { throw ValidationError("--minimum must be at least 1") }
  }

  func run() throws {
    let path = journal.path(try journal.configuration(reading: .audit))
    let learner = try learn(from: path)
    guard learner.seenCreations >= minimum else {
      throw CommandFailure(
        .bad,
        "there are \(learner.seenCreations) creations of users in it, too few to learn from; at least \(minimum) "
          + "are needed (--minimum)")
    }
    let learnt = LearntPolicies(learner, keptBy: share / 100)
    guard !learnt.isEmpty else { throw CommandFailure(.bad, "the requests have nothing in common") }
    let files = learnt.files(for: tenant)
    try NewFiles.write(files, into: output)
    show(learnt, files.map(\.name))
    try check()
  }

  private func learn(from path: String) throws -> PolicyLearner {
    var filter = QueryFilter()
    filter.decision = .allowed
    filter.tenant = tenant.map { Text($0) }
    (filter.since, filter.until) = timeRange.resolved
    var learner = PolicyLearner()
    var doubtful = 0
    var bar = ProgressBar("requests read")
    let source = JournalSource(directory: path) { Console.message("gatehouse: \($0)") }
    do {
      let flaws = try source.forEachRequest(matching: filter, limit: nil) { request in
        guard request.doubt == nil else {
          doubtful += 1
          return
        }
        if let observed = ObservedRequest(request) { learner.take(observed, at: request.time) }
        if learner.seenRequests % 1000 == 0 { bar.show(learner.seenRequests) }
      }
      bar.clear()
      doubtful += flaws.altered.count
      try CommandFailure.check(unreadableLines: flaws.unreadable)
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: path, fault)
    }
    // What somebody altered teaches what somebody wants.
    guard doubtful == 0 else {
      throw CommandFailure(.bad, "\(doubtful) records do not hold; see `gatehouse audit verify`")
    }
    return learner
  }

  private func show(_ learnt: LearntPolicies, _ files: [String]) {
    switch formatOption.format {
    case .text:
      for rule in learnt.rules {
        Console.data("\(rule.policy): \(rule.rule): \(rule.text.onOneLine): \(rule.share)")
      }
      for omission in learnt.omissions { Console.message("gatehouse: \(omission)") }
      Console.message("gatehouse: written to \(output): \(files.joined(separator: ", "))")
    case .json:
      for rule in learnt.rules { Console.data(json: rule.json) }
      Console.data(json: learnt.summaryJSON(files: files))
    }
  }

  /// Whatever can be said against the policies is to be said now.
  private func check() throws(CommandFailure) {
    let (_, problems) = journal.configOption.loader.policies(inFolder: output)
    for problem in problems { Console.message(problem.line) }
    guard !problems.hasErrors else { throw CommandFailure(.internalFault, "the policies cannot be read") }
  }
}
