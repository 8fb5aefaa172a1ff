import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Glibc

/// Prints each request as its outcome is written, until it is interrupted.
struct AuditFollowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Print requests as they end, in the form of `query`.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  /// How late an outcome may be seen, in microseconds.
  private static let period: UInt32 = 100_000

  func run() throws {
    let directory = try configOption.loadConfiguration().audit.directory
    do throws(AuditStore.FileFault) {
      var follower = try JournalFollower(directory: directory.path)
      let printer = RequestPrinter(format: formatOption.format == .json ? .json : .text)
      while true {
        try follower.poll { printer.print($0) }
        usleep(Self.period)
      }
    } catch {
      throw CommandFailure(journal: directory, error)
    }
  }
}
