internal import AuditStore
internal import AuditTrail
internal import Primitives
internal import Synchronization
internal import Threads

/// What the shipper's thread does.
final class ShipperWork {
  private let database: PostgresDatabase
  private let directory: String
  private let batch: Int
  private let clock: any TimeSource
  private let mark: ShippedMark
  private let shared: ShipperState
  private let copied: @Sendable (Int) -> Void
  private let report: @Sendable (JournalShipper.Event) -> Void
  private var session: Session?
  /// When the last try ends that is made at the end.
  private var end: MonotonicInstant?
  /// So that a problem that stays is said once.
  private var reported: String?
  private var saidViewsAreMissing = false

  private struct Session {
    let connection: PostgresConnection
    var cursor: JournalCursor
  }

  /// Between two looks at a journal that had nothing new.
  private static let pause: Int64 = 100_000_000
  private static let firstBackoff: Int64 = 200_000_000
  private static let longestBackoff: Int64 = 10_000_000_000
  /// Bytes of lines in one transaction, above which no further record is added.
  private static let batchSize = 4 << 20

  init(
    database: PostgresDatabase, directory: String, batch: Int, clock: any TimeSource, mark: ShippedMark,
    shared: ShipperState, copied: @escaping @Sendable (Int) -> Void,
    report: @escaping @Sendable (JournalShipper.Event) -> Void
  ) {
    self.database = database
    self.directory = directory
    self.batch = batch
    self.clock = clock
    self.mark = mark
    self.shared = shared
    self.copied = copied
    self.report = report
  }

  func run() {
    var backoff = Self.firstBackoff
    while true {
      beginEnd()
      do throws(ShippingFailure) {
        let isCaughtUp = try ship()
        backoff = Self.firstBackoff
        if isOutOfTime || (isCaughtUp && end != nil) { return }
        if isCaughtUp { _ = shared.wake.wait(nanoseconds: Self.pause) }
      } catch {
        note(error)
        session = nil
        guard end == nil else { return }
        _ = shared.wake.wait(nanoseconds: backoff)
        backoff = min(2 * backoff, Self.longestBackoff)
      }
    }
  }

  private var isOutOfTime: Bool { end.map { clock.monotonic() >= $0 } ?? false }

  /// Ships one batch.
  /// - Returns: whether nothing more is waiting.
  private func ship() throws(ShippingFailure) -> Bool {
    if session == nil { session = try connect() }
    guard var session else { return true }
    let before = session.cursor.sequence
    let (durable, lines) = try Self.reading { () throws(FileFault) in
      let durable = try session.cursor.durableSequence()
      return (
        durable, try session.cursor.read(upTo: durable, count: batch, size: Self.batchSize)
      )
    }
    guard let first = lines.first, let last = lines.last else { return true }
    // A statement is a transaction.
    try database.insert(lines, session.connection)
    if first.sequence > before + 1 {
      say(
        "records \(before + 1) to \(first.sequence - 1) are no longer in the journal and cannot be shipped",
        true)
    }
    self.session = session
    reached(last.sequence)
    return last.sequence >= durable
  }

  private func connect() throws(ShippingFailure) -> Session {
    // Asked while it waits: the last try has its own, shorter timeout. The work outlives its connections.
    let connection = try database.tables.connect(password: shared.password.withLock { $0 }) {
      [unowned self] in hasToStop()
    }
    if let refusal = try database.tables.migrate(connection), !saidViewsAreMissing {
      saidViewsAreMissing = true
      say(
        "\(database.tables.shown): records are shipped, but the views of deploy/postgres are not up to date: "
          + refusal.message, true)
    }
    let last = try database.last(connection)
    let start = last?.sequence ?? 0
    let cursor = try Self.reading { () throws(FileFault) in
      try JournalCursor(directory: directory, after: start)
    }
    if let last { try checkOurs(last) }
    let state = shared.status.withLock { status in
      defer { status.problem = nil }
      return status
    }
    reached(start)
    if state.problem != nil || reported != nil || session == nil {
      say("connected to \(database.tables.shown), continuing after record \(start)", false)
    }
    reported = nil
    return Session(connection: connection, cursor: cursor)
  }

  private func hasToStop() -> Bool {
    beginEnd()
    return isOutOfTime
  }

  private func beginEnd() {
    guard end == nil else { return }
    end = shared.end.withLock { $0 }
  }

  /// Records of another journal under the same name would keep ours out without anybody noticing.
  private func checkOurs(_ last: (sequence: Int, line: [UInt8])) throws(ShippingFailure) {
    let found = try Self.reading { () throws(FileFault) in
      var cursor = try JournalCursor(directory: directory, after: last.sequence - 1)
      let durable = try cursor.durableSequence()
      // What was shipped was on disk.
      guard durable >= last.sequence else { return [JournalCursor.Line]?.none }
      return try cursor.read(upTo: last.sequence, count: 1, size: 1)
    }
    guard let found, found.first.map({ $0.bytes == last.line }) ?? true else {
      throw .foreignRecords(gatewayId: database.gatewayId)
    }
  }

  private func reached(_ sequence: Int) {
    let changed = shared.status.withLock { status in
      defer { status.lastShipped = sequence }
      return status.lastShipped != sequence
    }
    guard changed else { return }
    copied(sequence)
    // It only serves to count while the database is away; the next batch writes it again.
    try? mark.write(sequence)
  }

  private func note(_ failure: ShippingFailure) {
    let message = "\(database.tables.shown): \(failure.message)"
    shared.status.withLock { $0.problem = message }
    guard reported != message else { return }
    reported = message
    say(message, true)
  }

  private func say(_ message: String, _ isProblem: Bool) {
    report(.init(message: message, isProblem: isProblem))
  }

  private static func reading<Value>(
    _ body: () throws(FileFault) -> Value
  ) throws(ShippingFailure) -> Value {
    do throws(FileFault) { return try body() } catch { throw .journal(error) }
  }
}
