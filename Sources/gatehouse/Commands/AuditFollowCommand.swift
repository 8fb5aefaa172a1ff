import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Glibc

/// Prints each request as its outcome is written, until it is interrupted or nobody reads any more.
struct AuditFollowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Print requests as they end, in the form of `query`.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  func run() throws {
    let directory = try configOption.loadConfiguration().audit.directory
    let pause = FollowPause()
    do throws(AuditStore.FileFault) {
      var follower = try JournalFollower(directory: directory.path)
      if follower == nil { Console.message("gatehouse: waiting for \(directory.path)") }
      var printer = RequestPrinter(format: formatOption.format == .json ? .json : .text)
      printer.printHeader()
      repeat {
        // What a folder holds that was not there before has all come since.
        if follower == nil { follower = try JournalFollower(directory: directory.path, fromStart: true) }
        try follower?.poll { printer.print($0) }
      } while pause.wait()
    } catch {
      throw CommandFailure(journal: directory, error)
    }
  }
}

/// The time between two looks at the journal, which SIGINT, SIGTERM and the end of the reader cut short.
private struct FollowPause {
  /// How late an outcome may be seen.
  private static let nanoseconds = 100_000_000

  private var signals = sigset_t()

  init() {
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    // They are taken in `wait`; nothing is ever half printed.
    sigprocmask(SIG_BLOCK, &signals, nil)
    // A reader that has gone ends the command as it should, and not by a signal.
    signal(SIGPIPE, SIG_IGN)
  }

  /// - Returns: whether to go on.
  func wait() -> Bool {
    if Console.isReaderGone { return false }
    var signals = signals
    var limit = timespec(tv_sec: 0, tv_nsec: Self.nanoseconds)
    return sigtimedwait(&signals, nil, &limit) < 0
  }
}
