import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Glibc

/// Prints each request as its outcome is written, until it is interrupted or nobody reads any more.
struct AuditFollowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Print requests as they end, in the form of `query`.",
    discussion: """
      EXAMPLES:
        gatehouse audit follow
        gatehouse audit follow --tenant crm --decision denied --format json
      """)

  @OptionGroup var journal: JournalOption
  @OptionGroup var formatOption: FormatOption
  @OptionGroup var filters: RequestFilterOptions

  func run() throws {
    let configuration = try journal.configuration(reading: .audit)
    if let audit = configuration?.audit { try filters.checkRecorded(under: audit.sensitive) }
    let filter = filters.filter(hashKey: configuration?.audit.sensitive.key)
    let path = journal.path(configuration)
    let pause = FollowPause()
    var isGood = true
    do throws(AuditStore.FileFault) {
      var follower = try JournalFollower(directory: path)
      if follower == nil { Console.message("gatehouse: waiting for \(path)") }
      var printer = RequestPrinter(format: formatOption.format == .json ? .json : .text)
      printer.printHeader()
      repeat {
        // What a folder holds that was not there before has all come since.
        if follower == nil { follower = try JournalFollower(directory: path, fromStart: true) }
        try follower?.poll(
          { request in
            if filter.matches(request) { printer.print(request) }
            guard let record = request.doubtful, let doubt = record.doubt else { return }
            isGood = false
            Console.message("gatehouse: record \(record.sequence) \(doubt.words)")
          },
          { notice in
            isGood = isGood && !notice.isBad
            Console.message("gatehouse: \(notice.words)")
          })
      } while pause.wait()
    } catch {
      throw CommandFailure(journal: path, error)
    }
    guard isGood else {
      throw CommandFailure(.bad, "the journal does not hold; see `gatehouse audit verify`")
    }
  }
}

extension JournalFollower.Notice {
  fileprivate var isBad: Bool {
    switch self {
    case .doubtful, .missing: true
    case .removed: false
    }
  }

  fileprivate var words: String {
    switch self {
    case .doubtful(let sequence, let doubt): "record \(sequence), which was shown, \(doubt.words)"
    case .missing(let sequence): "what should follow record \(sequence) is missing, or is no record"
    case .removed(let sequence): "retention removed the records up to \(sequence) before they could be shown"
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
