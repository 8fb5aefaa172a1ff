import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Glibc

/// Prints records as they are written, until it is interrupted.
struct AuditFollowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Print new records as they come; JSON is the journal's own lines.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  /// How late a record may be seen, in microseconds.
  private static let period: UInt32 = 100_000

  func run() throws {
    let directory = try configOption.loadConfiguration().audit.directory
    do throws(AuditStore.FileFault) {
      var follower = try JournalFollower(directory: directory.path)
      while true {
        try follower.poll { record in
          switch formatOption.format {
          case .text: Console.data(record.summary)
          case .json: Console.data(record.line)
          }
        }
        usleep(Self.period)
      }
    } catch {
      throw CommandFailure(journal: directory, error)
    }
  }
}
