import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Primitives
import StrictJSON

/// Checks that every record of the journal is what it was when it was written, and that none is missing.
struct AuditVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check the whole journal; exits with 1 if it was altered, cut, reordered or truncated.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  func run() throws {
    let directory = try configOption.loadConfiguration().audit.directory
    let verification: JournalVerification
    do throws(AuditStore.FileFault) {
      verification = try JournalVerification(ofDirectory: directory.path)
    } catch {
      throw CommandFailure(journal: directory, error)
    }
    for notice in verification.notices { Console.talk("gatehouse: \(notice)") }
    switch formatOption.format {
    case .text: Console.data(verification.line)
    case .json: Console.data(verification.json)
    }
    guard verification.problem == nil else { throw ExitCode(ExitStatus.bad.rawValue) }
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
