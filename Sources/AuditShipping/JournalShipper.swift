package import AuditStore
internal import AuditTrail
package import Primitives
internal import Synchronization

/// Brings a journal's records to the database, on a thread of its own. The journal is the buffer: what the database
/// cannot take now stays there, and requests do not wait.
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

  let desk: ShipperDesk
  private let thread: Mutex<WriterThread?>

  /// Starts shipping.
  /// - Parameters:
  ///   - directory: the journal's, which is open for writing.
  ///   - batch: records in one transaction at most.
  package init(
    _ database: PostgresDatabase, directory: String, batch: Int, clock: any TimeSource,
    report: @escaping @Sendable (Event) -> Void
  ) throws(ShippingFailure) {
    let mark: ShippedMark
    let desk: ShipperDesk
    do throws(FileFault) {
      mark = try ShippedMark(
        directory: directory, destination: database.destination)
      desk = ShipperDesk(lastShipped: try mark.read())
    } catch {
      throw .journal(error)
    }
    self.desk = desk
    do throws(ThreadFault) {
      let thread = try WriterThread {
        ShipperWork(
          database: database, directory: directory, batch: batch, clock: clock, mark: mark, desk: desk,
          report: report
        ).run()
      }
      self.thread = Mutex(consume thread)
    } catch {
      throw .noThread(code: error.code)
    }
  }

  package var status: Status { desk.status.withLock { $0 } }

  /// How many of the records that were written the database does not have, as far as is known.
  package func unshipped(of journal: JournalStatistics) -> Int {
    max(0, journal.lastSequence - status.lastShipped)
  }

  /// Tries once more to bring what is left, for a few seconds at most, and returns when the thread has ended.
  package func close() {
    guard let ended = thread.withLock({ $0.take() }) else { return }
    desk.isEnding.store(true, ordering: .releasing)
    desk.bell.ring()
    ended.join()
  }
}

/// What the shipper's thread and others share.
final class ShipperDesk: Sendable {
  let status: Mutex<JournalShipper.Status>
  let isEnding = Atomic(false)
  let bell = Bell()

  init(lastShipped: Int) { status = Mutex(.init(lastShipped: lastShipped, problem: nil)) }
}
