import ArgumentParser
import AuditIndex
import AuditReconciliation
import AuditStore
import AuditTrail
import ChimeIdentity
import Configuration
import Glibc
import PolicyEngine
import Primitives
import RateLimiting
import Synchronization
import Transport
import UserScan

/// Reads the users that upstream has and holds them against today's policies.
struct ScanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan",
    abstract: "Report upstream users that break today's policies; exits with 1 if any does.",
    discussion: """
      Users are listed and described with the gateway's credentials; nothing is changed. They are judged as they are: \
      defaults, tags that are set and clamps do not apply. A user's tenant is the one of the journal's record of its \
      creation, else that of --as-tenant; without one, rules by tenant do not apply. Users that could not be read and an \
      interruption are told and exit with 1, too; warnings alone with 0.

      EXAMPLES:
        gatehouse scan
        gatehouse scan --app-instance "$ARN" --as-tenant crm --rate 2
        gatehouse scan --resume scan.place --format json > findings.jsonl
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Option(help: "ARN of an AppInstance to scan; may be repeated. (default: all that upstream lists)")
  var appInstance: [String] = []
  @Option(help: "The tenant of users whose creation the journal does not have.")
  var asTenant: String?
  @Option(help: "Calls a second, at most.")
  var rate = 5.0
  @Option(
    help: "File that keeps the place, so that a scan that was stopped goes on; gone when it is complete.")
  var resume: String?

  func validate() throws {
    guard rate > 0, rate <= 1000 else { throw ValidationError("--rate must be above 0, and at most 1000") }
    for arn in appInstance where ChimeARN(Text(arn))?.resource != .appInstance {
      throw ValidationError("`\(arn.onOneLine)` is no ARN of an AppInstance")
    }
  }

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    let judge = try prepare(configuration)
    let creators = try UserCreators(journal: configuration.audit.directory.path)
    let kept = try resume.flatMap { path throws(CommandFailure) in try ScanFile.place(at: path) }
    if let kept, !appInstance.isEmpty, kept.appInstances != appInstance.map({ Text($0) }) {
      throw CommandFailure(
        .bad, "\(resume ?? ""): this is the place of a scan of other AppInstances; name another file")
    }
    let outcome = try scan(configuration.upstream, judge, creators, from: kept)
    let tally = outcome.file.place.tally
    let isComplete = outcome.file.place.isComplete
    switch formatOption.format {
    case .text: tally.summary(isComplete: isComplete).forEach { Console.data($0) }
    case .json: Console.data(json: tally.summaryJSON(isComplete: isComplete))
    }
    try outcome.file.finish()
    try creators.check()
    if let failure = outcome.failure { throw failure }
    guard isComplete, tally.isGood else { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  private func prepare(_ configuration: GatewayConfiguration) throws -> UserJudge {
    let entries = try TenantsOnDisk(configOption).entries()
    if let asTenant, !entries.contains(where: { $0.id == Text(asTenant) }) {
      throw CommandFailure(unknownTenant: asTenant, among: entries.map(\.id), in: configuration.tenants.path)
    }
    let tenants = entries.map { TenantFacts($0) }
    let (files, problems) = configOption.loader.policies(of: configuration, configPath: configOption.path)
    guard let files else { throw CommandFailure(configuration: problems) }
    let doubts = PolicySet.compile(
      documents: files.documents, exceptions: files.exceptions, tenants: tenants
    ).1
    guard !doubts.preventUse else { throw CommandFailure(configuration: problems + doubts) }
    for doubt in problems + doubts { Console.message(doubt.line) }
    return UserJudge(
      documents: files.documents, exceptions: files.exceptions, tenants: tenants, now: .now)
  }
}

extension ScanCommand {
  private struct Outcome: Sendable {
    let file: ScanFile
    /// Why it is not complete.
    let failure: CommandFailure?
  }

  /// Scans until the end, or until it is interrupted.
  private func scan(
    _ upstream: GatewayConfiguration.Upstream, _ judge: UserJudge, _ creators: UserCreators,
    from kept: ScanPlace?
  ) throws -> Outcome {
    let asked = appInstance.map { Text($0) }
    let (path, asTenant, format) = (resume, asTenant.map { Text($0) }, formatOption.format)
    let interval = Int64(1_000_000_000 / rate)
    let known = Mutex<ScanFile?>(nil)
    do {
      return try LoopTask.run { loop throws(CommandFailure) in
        let signals = SignalSource([SIGTERM, SIGINT], on: loop) { _ in loop.stop() }
        defer { withExtendedLifetime(signals) {} }
        let reader = try await RegionalReader(upstream, Self.patience(interval), on: loop)
        defer { reader.close() }
        let place: ScanPlace
        do throws(ScanFailure) {
          place = try await Self.place(kept, asked, reader)
        } catch {
          throw CommandFailure(.bad, error.message)
        }
        let file = ScanFile(at: path, from: place)
        known.withLock { $0 = file }
        let screen = ScanScreen(format)
        let scan = UserScanner(
          upstream: reader, judge: judge, tenant: { creators.tenant(of: $0) ?? asTenant },
          show: { screen.show($0) }, warn: { screen.warn($0) },
          keep: { place in
            file.keep(place, at: loop.clock.monotonic().nanoseconds)
            screen.show(place.tally)
          })
        defer { screen.clear() }
        do throws(ScanFailure) {
          _ = try await scan.run(from: place)
          return Outcome(file: file, failure: nil)
        } catch {
          return Outcome(file: file, failure: CommandFailure(.bad, error.message))
        }
      }
    } catch LoopTask.Interruption.stopped {
      Console.message("")
      guard let file = known.withLock({ $0 }) else { throw CommandFailure(.bad, "interrupted") }
      let advice = path.map { "; --resume \($0) goes on from here" } ?? ""
      return Outcome(file: file, failure: CommandFailure(.bad, "interrupted\(advice)"))
    }
  }

  /// Nobody waits for a scan, and whoever throttles it is to be left in peace.
  private static func patience(_ interval: Int64) -> ServiceReader.Patience {
    ServiceReader.Patience(
      attempts: 8, backoff: Backoff(baseNanoseconds: 500_000_000, capNanoseconds: 30_000_000_000),
      pace: ServiceReader.Pace(interval: interval))
  }

  private static func place(
    _ kept: ScanPlace?, _ asked: [Text], _ reader: RegionalReader
  ) async throws(ScanFailure) -> ScanPlace {
    if let kept { return kept }
    guard asked.isEmpty else { return ScanPlace(appInstances: asked) }
    var found: [Text] = []
    for region in reader.regions { found += try await UserScanner.appInstances(of: region.reader) }
    return ScanPlace(appInstances: found)
  }
}

/// What a person sees of a scan, and the data.
private final class ScanScreen {
  private let format: FormatOption.Format
  private var bar = ProgressBar("users scanned")

  init(_ format: FormatOption.Format) { self.format = format }

  func show(_ finding: ScanFinding) {
    clear()
    switch format {
    case .text: finding.lines.forEach { Console.data($0) }
    case .json: Console.data(json: finding.json)
    }
  }

  func warn(_ text: String) {
    clear()
    Console.message("gatehouse: \(text)")
  }

  func show(_ tally: ScanTally) { bar.show(tally.users) }

  func clear() { bar.clear() }
}
