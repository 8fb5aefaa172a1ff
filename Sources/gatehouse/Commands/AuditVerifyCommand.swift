import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Gateway
import OpenSSLCrypto
import Primitives
import StrictJSON

/// Checks that every record of the journal is what it was when it was written, and that none is missing.
struct AuditVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check the whole journal; exits with 1 if it was altered, cut, reordered or truncated.",
    discussion: """
      EXAMPLES:
        gatehouse audit verify
        gatehouse audit verify --directory copy --public-key audit-signing.pub
        gatehouse audit verify --since-checkpoint kept.jsonl
      """)

  @OptionGroup var journal: JournalOption
  @OptionGroup var formatOption: FormatOption
  @Option(
    help: ArgumentHelp(
      "PEM file with an Ed25519 public key; given several times, each may have signed. (default: that of the "
        + "configured signingKey)"))
  var publicKey: [String] = []
  @Option(help: "File with checkpoints that were kept: lines of the file `checkpoints`.")
  var sinceCheckpoint: String?

  func run() throws {
    let kept = try sinceCheckpoint.map { try Self.keptCheckpoints(in: $0) } ?? []
    var keys = try publicKey.map { try Self.publicKey(in: $0) }
    let configuration = try journal.configuration()
    let path = journal.path(configuration)
    if keys.isEmpty, let key = configuration?.audit.checkpoint.signingKey?.publicKey { keys = [key] }
    if !keys.isEmpty, let bad = kept.firstIndex(where: { !$0.isSigned(byOneOf: keys) }) {
      throw CommandFailure(
        .bad,
        "\(sinceCheckpoint ?? "") line \(bad + 1): the checkpoint was not signed with a key that was given, or was altered"
      )
    }
    var bar = ProgressBar("records checked")
    let verification: JournalVerification
    do throws(AuditStore.FileFault) {
      verification = try JournalVerification(ofDirectory: path, keys: keys, kept: kept.map(\.checkpoint)) {
        bar.show($0, of: $1)
      }
    } catch {
      bar.clear()
      if formatOption.format == .json { Console.data(json: error.json) }
      throw CommandFailure(journal: path, error)
    }
    bar.clear()
    for notice in verification.notices { Console.message("gatehouse: \(notice)") }
    switch formatOption.format {
    case .text: Console.data(verification.line)
    case .json: Console.data(json: verification.json)
    }
    guard verification.problem == nil else { throw ExitCode(ExitStatus.bad.rawValue) }
  }
}

/// A line of a file that somebody kept.
private struct KeptCheckpoint {
  let checkpoint: Checkpoint
  let signature: [UInt8]?

  func isSigned(byOneOf keys: [Ed25519PublicKey]) -> Bool {
    guard let signature else { return false }
    return keys.contains { checkpoint.isSigned(signature, by: $0) }
  }
}

extension AuditVerifyCommand {
  private static func keptCheckpoints(in path: String) throws(CommandFailure) -> [KeptCheckpoint] {
    var kept: [KeptCheckpoint] = []
    for (index, line) in try contents(of: path).split(separator: 0x0A).enumerated() {
      guard let (checkpoint, signature) = Checkpoint.read(Array(line)) else {
        throw CommandFailure(
          .bad, "\(path) line \(index + 1) is no checkpoint: expected a line of the file `checkpoints`")
      }
      kept.append(KeptCheckpoint(checkpoint: checkpoint, signature: signature))
    }
    guard !kept.isEmpty else { throw CommandFailure(.bad, "\(path) holds no checkpoint") }
    return kept
  }

  private static func publicKey(in path: String) throws(CommandFailure) -> Ed25519PublicKey {
    guard let key = Ed25519PublicKey(pem: try contents(of: path)) else {
      throw CommandFailure(.bad, "\(path) holds no Ed25519 public key in PEM")
    }
    return key
  }

  private static func contents(of path: String) throws(CommandFailure) -> [UInt8] {
    do throws(Configuration.FileFault) {
      return try DiskFiles().read(path).bytes
    } catch {
      throw CommandFailure(.bad, "cannot read \(path): \(error.message)")
    }
  }
}

extension AuditStore.FileFault {
  /// What is missing or unreadable is not known to be good.
  fileprivate var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("ok")
    writer.boolean(false)
    for key: StaticString in ["segment", "sequence"] {
      writer.key(key)
      writer.null()
    }
    writer.key("problem")
    writer.string("cannot be read: \(self)")
    writer.endObject()
    return writer.bytes
  }
}

extension JournalVerification {
  fileprivate var line: String {
    guard let problem else {
      return "good: \(extent.records) records in \(extent.segments) segments, "
        + "the last is \(extent.head.sequence) with \(extent.head.text)"
    }
    let place = problem.line.map { " line \($0)" } ?? ""
    return "broken: \(problem.segment)\(place): \(problem.message)"
  }

  fileprivate var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("ok")
    writer.boolean(problem == nil)
    if let problem {
      writer.key("segment")
      writer.string(problem.segment)
      writer.key("sequence")
      writer.integer(problem.sequence)
      writer.key("problem")
      writer.string(problem.message)
    } else {
      writer.key("segments")
      writer.integer(extent.segments)
      writer.key("records")
      writer.integer(extent.records)
      writer.key("lastSequence")
      writer.integer(extent.head.sequence)
      writer.key("head")
      writer.string(extent.head.text)
    }
    writer.endObject()
    return writer.bytes
  }
}
