import AuditTrail
import Configuration
import CredentialSupply
import Glibc
import OpenSSLCrypto
import Primitives
import RateLimiting
import Synchronization
import TestSupport
import Threads
import Transport

@testable import AuditStore
@testable import Gateway

/// One life of the gateway's process: the real workers, journal and limits, whose steps the simulation takes.
///
/// `@unchecked Sendable`: everything of a simulation is on one thread.
final class Life: LoopDriver, @unchecked Sendable {
  enum Failure: Error {
    case configuration([String])
  }

  /// What the journal's writer waits for.
  private enum Rest {
    case none
    case until(Int64)
    case ended

    var isOpen: Bool { if case .ended = self { false } else { true } }
  }

  let number: Int
  let meters = TenantMeters()
  let shared: SharedState
  let journal: Journal
  private(set) var workers: [Worker] = []
  private let writer: JournalWriter
  private let time: SimulatedTime
  private let clock: Clock
  private var rest = Rest.none
  private var isSignalled = false
  /// The writer waits for its disk.
  private(set) var isWriterBusy = false
  private var timers: [Int: () -> Void] = [:]
  private var timerNumbers = 0
  /// Those who wait for upstream, by the number of the exchange.
  var exchanges: [Int: UnsafeContinuation<ExchangeResult, Never>] = [:]
  /// Requests that have no answer yet.
  var open = 0
  var answered = 0
  var isDraining: Bool { shared.drain.isSet }
  var isOver: Bool { if case .ended = rest { true } else { false } }

  private static let sink = try? LogSink(descriptor: Glibc.open("/dev/null", O_WRONLY))

  init(
    _ number: Int, scenario: Scenario, files: ConfigurationFiles, disk: SimulatedDisk, time: SimulatedTime,
    entropy seed: UInt64, upstream: (Life, Int) -> any Upstream
  ) throws {
    self.number = number
    self.time = time
    clock = Clock(time)
    let snapshot = try Self.load(files, meters)
    (journal, writer) = try Journal.openWithoutThread(scenario.journal, clock: clock, files: disk)
    guard let sink = Self.sink else { throw Failure.configuration(["no log"]) }
    shared = SharedState(
      journal: journal, configuration: snapshot.configuration, logSink: sink,
      connections: ConnectionGate(.init(connections: 10, perSource: 10, admin: 10)), supply: Self.supply,
      now: time.monotonic())
    for index in 0..<scenario.workers {
      var generator = SeededGenerator(seed: seed &+ UInt64(index))
      let entropy = StockedEntropy { memory in
        for index in memory.indices { memory[index] = UInt8.random(in: 0...255, using: &generator) }
        return true
      }
      workers.append(
        Worker(
          loop: try EventLoop(clock: clock, driver: self), shared: shared, snapshot: snapshot,
          upstreams: PerRegion(upstream(self, index)), entropy: entropy))
    }
    for worker in workers {
      worker.loop.spawn { worker.startHousekeeping() }
      worker.loop.step(ticks: false)
    }
  }

  /// The simulation's credentials stand in the configuration: nothing is asked for, and nothing ends.
  private static let supply = CredentialKeeper(
    CredentialSurroundings(environment: [:], read: { _ in nil }), clock: SystemClock(),
    entropy: SystemEntropy())

  static func load(_ files: ConfigurationFiles, _ meters: TenantMeters) throws -> Snapshot {
    let load = SnapshotLoader.load(
      configPath: "gatehouse.json", files: files, environment: [:], meters: meters, supply: supply)
    guard let snapshot = load.snapshot else { throw Failure.configuration(load.problems.map(\.line)) }
    return snapshot
  }

  // MARK: Its time

  /// The world's clock as long as the process lives; what is left of it afterwards has a time that passes by itself.
  ///
  /// `@unchecked Sendable`: everything of a simulation is on one thread.
  private final class Clock: TimeSource, @unchecked Sendable {
    private let time: SimulatedTime
    var passed: Int64 = 0

    init(_ time: SimulatedTime) { self.time = time }

    func monotonic() -> MonotonicInstant { time.monotonic().advanced(byNanoseconds: passed) }
    func wallClock() -> WallClockTime { time.wallClock() }
  }

  func call(after nanoseconds: Int64, _ body: @escaping () -> Void) {
    timerNumbers += 1
    let number = timerNumbers
    timers[number] = body
    time.after(nanoseconds) { [weak self] in self?.timers.removeValue(forKey: number)?() }
  }

  // MARK: The journal's thread

  /// Before its first step; it may take time as every step may.
  func beginWriter() {
    isWriterBusy = true
    writer.begin()
    isWriterBusy = false
  }

  var canStepWriter: Bool {
    guard !isWriterBusy else { return false }
    switch rest {
    case .none: return true
    case .ended: return false
    case .until(let due):
      // Taking it ends it, so it is remembered.
      if !isSignalled { isSignalled = journal.shared.work.wait(nanoseconds: 0) }
      return isSignalled || time.now >= due
    }
  }

  func stepWriter() {
    isWriterBusy = true
    defer { isWriterBusy = false }
    if case .until = rest {
      rest = .none
      let wasSignalled = isSignalled
      isSignalled = false
      return writer.waited(isSignalled: wasSignalled)
    }
    guard let pause = writer.step() else { return rest = .ended }
    guard pause > 0 else { return }
    rest = .until(time.now + pause)
    // So that time goes on to then.
    time.after(pause) {}
  }

  // MARK: Its end

  /// The last turns' records are handed over, and nothing more is taken.
  func closeJournal() {
    for worker in workers { worker.records.handOver() }
    journal.shared.queue.withLock { $0.close() }
    journal.shared.work.signal()
  }

  /// The process has ended. What waits in it is let go of, so that it is freed; nobody sees what comes of it.
  func bury() {
    while open > 0 || !exchanges.isEmpty || !timers.isEmpty {
      // Whoever waits for a turn until a deadline waits again and again otherwise.
      clock.passed += 1_000_000_000
      for (_, waiter) in exchanges { waiter.resume(returning: .failure(.lost(.closed))) }
      exchanges = [:]
      let due = timers
      timers = [:]
      for (_, body) in due { body() }
      journal.shared.queue.withLock { $0.close() }
      while rest.isOpen {
        if case .until = rest { rest = .none }
        stepWriter()
      }
      for worker in workers where worker.loop.hasWork { worker.loop.step(ticks: false) }
    }
    release()
  }

  /// Its loops and workers hold each other.
  func release() {
    for worker in workers { worker.loop.endSteps() }
  }
}
