import AuditTrail
import Glibc
import Primitives
import Synchronization
import TestSupport
import Testing
import Threads

@testable import AuditStore

/// A disk that takes a synchronisation and gives no answer until it is told to.
private final class SilentFileSystem: DelegatingFileSystem {
  private struct State {
    /// The user whose record, once written, makes the disk fall silent.
    var trigger: Text?
    var failsNext = false
  }

  let files = ScriptedFileSystem()
  private let state = Mutex(State())
  private let isHanging = Atomic(false)
  private let mayEnd = ThreadEvent()

  func fallSilent(at number: UInt64) { state.withLock { $0.trigger = request(number).appInstanceUserId } }

  /// Returns when the writer hangs in it.
  func waitForSynchronization() async {
    while !isHanging.load(ordering: .sequentiallyConsistent) { await Task.yield() }
  }

  func answer(failing: Bool = false) {
    state.withLock { $0 = State(trigger: nil, failsNext: failing) }
    isHanging.store(false, ordering: .sequentiallyConsistent)
    mayEnd.signal()
  }

  func synchronize(_ file: OpenFile) throws(FileFault) {
    let trigger = state.withLock { $0.trigger }
    if let trigger, try records().contains(where: { $0.text("appInstanceUserId") == trigger }) {
      isHanging.store(true, ordering: .sequentiallyConsistent)
      _ = mayEnd.wait(nanoseconds: nil)
    }
    let fails = state.withLock { state in
      defer { state.failsNext = false }
      return state.failsNext
    }
    if fails { throw FileFault(.synchronize, "", code: EIO) }
    try files.synchronize(file)
  }

  /// Of all segments, without their place in the chain.
  func records() throws(FileFault) -> [JournalRecord] {
    try files.names().filter { $0.hasPrefix("journal-") }.sorted().flatMap { name in
      (files.bytes(of: name) ?? []).split(separator: 0x0A).compactMap { JournalRecord(line: Array($0)) }
    }
  }
}

private let timeout: Int64 = 10_000_000_000

private func after(_ seconds: Int64) -> MonotonicInstant {
  MonotonicInstant(nanoseconds: 1_000_000_000_000 + seconds * 1_000_000_000)
}

private func request(_ number: UInt64) -> AuditedRequest {
  var request = AuditedRequest(
    id: RequestID(from: FixedEntropy(number << 16)), time: WallClockTime(seconds: 1_795_438_800),
    decision: .allowed)
  request.appInstanceUserId = Text("user-\(number)")
  return request
}

/// As the gateway hands it over.
private func outcome(_ number: UInt64) -> LateIntent.Outcome {
  var refused = request(number)
  refused.decision = .refused
  let result = AuditedResult(.notForwarded, status: 503, durationNanoseconds: 1)
  return { [refused] intent in
    intent.map {
      result.outcomeRecord(of: refused.id, intent: $0, at: refused.time, decision: .refused)
    } ?? refused.outcomeRecord(result, under: Sensitivity())
  }
}

@Suite(.timeLimit(.minutes(3))) struct StalledDiskTests {
  private let files = SilentFileSystem()

  private func openJournal(continues: Bool = false) async throws -> Journal {
    var settings = Journal.Settings(directory: "memory")
    settings.continuesOnFailure = continues
    let journal = try Journal(settings, clock: RunningClock(), files: files)
    // Behind what the writer does first.
    _ = try await journal.intend(record("intent", "first"))
    return journal
  }

  private func intend(_ number: UInt64, _ journal: Journal) -> Task<Result<Int?, JournalFailure>, Never> {
    Task {
      do throws(JournalFailure) {
        let intent = try await journal.intend(request(number).intentRecord(under: Sensitivity()))
        return .success(intent.sequence)
      } catch {
        return .failure(error)
      }
    }
  }

  /// One intent that the writer hangs in, and one behind it.
  private func hang(_ journal: Journal) async -> [Task<Result<Int?, JournalFailure>, Never>] {
    files.fallSilent(at: 1)
    let inFlight = intend(1, journal)
    await files.waitForSynchronization()
    let behind = intend(2, journal)
    while journal.statistics.queued == 0 { await Task.yield() }
    return [inFlight, behind]
  }

  private func failure(of task: Task<Result<Int?, JournalFailure>, Never>) async -> JournalFailure? {
    if case .failure(let failure) = await task.value { failure } else { nil }
  }

  /// When the disk has answered, the journal goes on by itself.
  private func waitForRecovery(_ journal: Journal) async {
    while (try? await journal.intend(record("intent", "last"))) == nil { await Task.yield() }
  }

  @Test(arguments: [false, true], [false, true])
  func nobodyWaitsLongerThanARequestMayTakeAndTheLateIntentGetsItsOutcome(
    _ fails: Bool, _ isConcludedLast: Bool
  ) async throws {
    let journal = try await openJournal()
    let tasks = await hang(journal)
    journal.watch(now: after(0), timeout: timeout)
    journal.watch(now: after(9), timeout: timeout)
    #expect(journal.statistics.failure == nil)
    journal.watch(now: after(10), timeout: timeout)

    guard case .stalled(let late?) = await failure(of: tasks[0]) else {
      Issue.record("its record may still come to disk")
      return
    }
    #expect(await failure(of: tasks[1]) == .stalled(nil))
    #expect(journal.statistics.failure == .stalled(nil), "as /readyz shows it")
    // Whoever comes now is told at once.
    #expect(await failure(of: intend(3, journal)) == .stalled(nil))

    if !isConcludedLast { journal.conclude(late, outcome(1)) }
    for number: UInt64 in [2, 3] { journal.conclude(outcome(number)(nil)) }
    files.answer(failing: fails)
    await waitForRecovery(journal)
    if isConcludedLast { journal.conclude(late, outcome(1)) }
    journal.close()
    #expect(journal.statistics.unwrittenOutcomes == 0)

    let records = try files.records()
    for number: UInt64 in [1, 2, 3] {
      let own = records.filter { $0.requestId == request(number).id.text }
      let isLate = number == 1 && !fails
      #expect(own.map(\.kind) == (isLate ? [.intent, .outcome] : [.outcome]))
      let end = try #require(own.last)
      #expect(end.text("outcome") == "notForwarded")
      #expect(end.text("decision") == "refused")
      #expect(end.integer("intent") == (isLate ? own[0].sequence : nil))
    }
    #expect(try JournalVerification(of: files).problem == nil)
  }

  @Test func requestThatGoesOnWithoutItsIntentHandsItsOutcomeOverWithIt() async throws {
    let journal = try await openJournal(continues: true)
    files.fallSilent(at: 1)
    let task = Task {
      try await journal.intend(request(1).intentRecord(under: Sensitivity())).late
    }
    await files.waitForSynchronization()
    journal.watch(now: after(0), timeout: timeout)
    journal.watch(now: after(11), timeout: timeout)
    let late = try #require(try await task.value)
    files.answer()
    journal.conclude(late) { intent in
      AuditedResult(.created, status: 201, durationNanoseconds: 1).outcomeRecord(
        of: request(1).id, intent: intent ?? 0, at: request(1).time)
    }
    journal.close()
    let own = try files.records().filter { $0.requestId == request(1).id.text }
    #expect(own.map(\.kind) == [.intent, .outcome])
    #expect(own.last?.integer("intent") == own.first?.sequence)
  }

  @Test func slowDiskThatGetsOnIsNoSilentOne() async throws {
    let journal = try await openJournal()
    for round: Int64 in 0..<5 {
      files.fallSilent(at: UInt64(round))
      let task = intend(UInt64(round), journal)
      await files.waitForSynchronization()
      journal.watch(now: after(20 * round), timeout: timeout)
      journal.watch(now: after(20 * round + 9), timeout: timeout)
      files.answer()
      #expect(await failure(of: task) == nil)
    }
    journal.close()
  }

  @Test func closingDoesNotWaitForASilentDisk() async throws {
    let journal = try await openJournal()
    let tasks = await hang(journal)
    #expect(!journal.close(timeout: 1_000_000))
    // The writer may still write, so nobody else may.
    #expect(throws: JournalOpenFailure.self) {
      try Journal(Journal.Settings(directory: "memory"), clock: RunningClock(), files: files)
    }
    files.answer()
    for task in tasks { #expect(await failure(of: task) == nil, "it was written after all") }
  }

  @Test func writerThatRestsIsNotStalled() {
    var queue = CommitQueue<Int>()
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: CommitQueue<Int>.linger))
    for seconds: Int64 in [0, 100, 200] {
      #expect(queue.watch(now: after(seconds), timeout: timeout) == nil)
    }
    #expect(queue.add(bundle("i1")).mustSignal)
    #expect(queue.watch(now: after(201), timeout: timeout) == nil, "it was called only now")
    #expect(queue.watch(now: after(211), timeout: timeout)?.map(\.waiter) == [1])
    let refused = queue.add(bundle("o1", "i2"))
    #expect(refused.isStalled && refused.refused == [2])
    #expect(queue.outcomes == 1, "outcomes are taken all the same")
    #expect(queue.watch(now: after(300), timeout: timeout) == nil, "nothing new")
    #expect(queue.nextStep(hasRested: false) == .rest(nanoseconds: CommitQueue<Int>.linger))
    #expect(queue.add(bundle("i3")).mustSignal)
  }
}
