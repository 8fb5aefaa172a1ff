package import AuditStore
internal import AuditTrail
package import OpenSSLCrypto
package import Primitives
internal import Synchronization
internal import Threads

/// Brings a journal's records to the database, on a thread of its own. The journal is the buffer: what the database
/// cannot take now stays there, and requests do not wait (docs/decisions/0042).
package final class JournalShipper: Sendable {
  /// Something that operators should know.
  package struct Event: Sendable {
    package let message: String
    package let isProblem: Bool
  }

  package struct Status: Sendable {
    /// The last record that is known to be in the database.
    package var lastShipped: Int
    /// Why the last try failed; `nil` when it did not.
    package var problem: String?
  }

  let state: ShipperState
  private let thread: Mutex<PosixThread?>

  /// Starts shipping.
  /// - Parameters:
  ///   - directory: the journal's, which is open for writing.
  ///   - batch: records in one transaction at most.
  ///   - copied: called with the last record that the database is known to have, as it changes.
  package init(
    _ database: PostgresDatabase, directory: String, batch: Int, clock: any TimeSource,
    copied: @escaping @Sendable (Int) -> Void, report: @escaping @Sendable (Event) -> Void
  ) throws(ShippingFailure) {
    let mark: ShippedMark
    let state: ShipperState
    do throws(FileFault) {
      mark = try ShippedMark(
        directory: directory, destination: database.destination)
      state = ShipperState(lastShipped: try mark.read())
    } catch {
      throw .journal(error)
    }
    copied(state.status.withLock { $0.lastShipped })
    self.state = state
    do throws(ThreadFault) {
      let thread = try PosixThread {
        ShipperWork(
          database: database, directory: directory, batch: batch, clock: clock, mark: mark, shared: state,
          copied: copied, report: report
        ).run()
      }
      self.thread = Mutex(thread)
    } catch {
      throw .noThread(code: error.code)
    }
  }

  package var status: Status { state.status.withLock { $0 } }

  /// How many of the records that the journal has the database does not have, as far as is known.
  package func unshipped(of journal: JournalStatistics) -> Int {
    max(0, journal.lastSequence - max(status.lastShipped, journal.baseSequence))
  }

  /// The next connection is made with it.
  package func use(password: Secret?) { state.password.withLock { $0 = password } }

  /// Tries once more to bring what is left, until `end` at most, and returns when the thread has ended.
  package func close(by end: MonotonicInstant) {
    guard let ended = thread.withLock({ $0.take() }) else { return }
    state.end.withLock { $0 = end }
    state.wake.signal()
    ended.join()
  }
}

/// What the shipper's thread and others share.
final class ShipperState: Sendable {
  let status: Mutex<JournalShipper.Status>
  /// When the last try ends; `nil` before it is time for one.
  let end = Mutex<MonotonicInstant?>(nil)
  let wake = ThreadEvent()
  /// What the last reload found; `nil`: that of the settings.
  let password = Mutex<Secret?>(nil)

  init(lastShipped: Int) { status = Mutex(.init(lastShipped: lastShipped, problem: nil)) }
}
