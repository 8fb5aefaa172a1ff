import AuditTrail
import HTTPWire
import Primitives
import RateLimiting
import TestSupport
import Transport

@testable import AuditStore
@testable import Gateway

/// The whole gateway in a time of its own: callers, upstream, clock, disk, reloads, signals and crashes around the real
/// workers, limits and journal, on one thread. Whatever is decided is decided by the seed, also which part goes on next,
/// so a seed gives the same run each time.
///
/// What must hold is looked at while it runs and at its end (`Promises.swift`).
///
/// `@unchecked Sendable`: everything of a simulation is on one thread.
final class Simulation: @unchecked Sendable {
  let seed: UInt64
  let scenario: Scenario
  let time = SimulatedTime()
  var entropy: SeededGenerator
  var service = SimulatedService()
  private(set) var disk: SimulatedDisk
  private(set) var life: Life?
  private(set) var lives: [LifeReport] = []
  private(set) var attempts: [Attempt] = []
  /// The first promise that was broken.
  private(set) var violation: String?
  private(set) var trace: [String] = []
  private let isTraced: Bool
  private var callers = Callers()
  private var revision = 0
  /// A crash comes as soon as whatever runs has seen that its disk is gone.
  private var isCrashing = false
  /// The disk does nothing more until then.
  private var isDoomed = false
  private var isQuiet: Bool { attempts.count >= scenario.requests }

  /// What is known of a life when it is over.
  struct LifeReport {
    let number: Int
    let hasCrashed: Bool
    /// Outcomes that the journal counted as lost, or told of in `suppressed` records.
    let lostOutcomes: Int
    let answered: Int
    /// By decision, as the metrics count.
    let counted: [String: Int]
  }

  init(seed: UInt64, isTraced: Bool = false) {
    self.seed = seed
    self.isTraced = isTraced
    entropy = SeededGenerator(seed: seed)
    scenario = Scenario(&entropy)
    disk = SimulatedDisk(ScriptedFileSystem(seed: seed))
    if isTraced { disk.files.startTracing() }
  }

  /// Runs until the world is quiet.
  func run() {
    do {
      try start()
      time.after(0) { [self] in call() }
      while violation == nil, !isQuiet || life?.open ?? 0 > 0 { try step() }
      while violation == nil, life != nil { try drain() }
      checkEnd()
    } catch {
      fail("\(error)")
    }
    // What a broken promise left behind is let go of.
    if let life {
      disk.die()
      self.life = nil
      life.bury()
    }
  }

  func fail(_ message: @autoclosure () -> String) {
    guard violation == nil else { return }
    violation = message()
    note("BROKEN: \(message())")
  }

  func note(_ event: @autoclosure () -> String) {
    guard isTraced else { return }
    trace += disk.files.takeTrace()
    trace.append("\((time.now - 1_000_000_000_000) / 1_000) µs: \(event())")
  }

  /// Long after whatever a seed can bring is over.
  private static let end: Int64 = 5_000_000_000_000

  // MARK: Who goes on next

  private func step() throws {
    if isCrashing { return try crash() }
    goOn()
  }

  /// One step of one part; which one is chance, and now and then time passes before any of them gets on.
  private func goOn() {
    if time.now > Self.end { return fail("the world does not come to rest") }
    var ready: [() -> Void] = []
    if let life, !isCrashing {
      for worker in life.workers where worker.loop.hasWork { ready.append { worker.loop.step(ticks: false) } }
      if life.canStepWriter { ready.append { life.stepWriter() } }
    }
    if ready.isEmpty || entropy.happens(8) { return time.advance() }
    ready[Int.random(in: 0..<ready.count, using: &entropy)]()
  }

  /// The disk needs time, and all but the journal's writer goes on.
  private func diskIsBusy() {
    guard life?.isWriterBusy == true, !isCrashing else { return }
    let takes: Int64 =
      entropy.happens(scenario.mishaps / 5)
      ? .milliseconds(500...9000, &entropy) : entropy.happens(50) ? 0 : .milliseconds(0...4, &entropy)
    guard takes > 0 else { return }
    if takes > 100_000_000 { note("the disk stalls for \(takes / 1_000_000) ms") }
    let end = time.now + takes
    var isOver = false
    time.after(takes) { isOver = true }
    while !isOver, time.now < end, violation == nil, !isCrashing { goOn() }
  }

  // MARK: Lives

  private func start() throws {
    let disk = disk
    disk.busy = { [unowned self] in diskIsBusy() }
    let files = scenario.files(revision: revision, &entropy)
    let life: Life
    while true {
      do throws(JournalOpenFailure) {
        life = try Self.open(lives.count, self, files, disk)
        break
      } catch {
        // A start that fails on a failing disk is tried again when it is mended.
        guard case .file = error else { throw error }
        note("the journal does not open: \(error.message)")
        disk.files.fail(0)
        disk.files.leaveRoom(nil)
      }
    }
    note("life \(life.number) begins")
    self.life = life
    checkJournal("after the start")
    tick(life)
    life.beginWriter()
  }

  private static func open(
    _ number: Int, _ simulation: Simulation, _ files: ConfigurationFiles, _ disk: SimulatedDisk
  ) throws(JournalOpenFailure) -> Life {
    do {
      return try Life(
        number, scenario: simulation.scenario, files: files, disk: disk, time: simulation.time,
        entropy: simulation.seed &+ UInt64(number) &* 1000
      ) { [unowned simulation] life, _ in UpstreamLink(simulation, life) }
    } catch let failure as JournalOpenFailure {
      throw failure
    } catch {
      preconditionFailure("the scenario is not sound: \(error)")
    }
  }

  /// The loops' housekeeping, twenty times a second.
  private func tick(_ life: Life) {
    time.after(50_000_000) { [weak self, weak life] in
      guard let self, let life, self.life === life, !life.isOver else { return }
      for worker in life.workers { worker.loop.step(ticks: true) }
      tick(life)
    }
  }

  private func crash() throws {
    guard let life else { return }
    isCrashing = false
    isDoomed = false
    let isKill = entropy.happens(50)
    note(isKill ? "KILL" : "POWER LOSS")
    disk.die()
    report(life, hasCrashed: true)
    self.life = nil
    life.bury()
    let seed = entropy.next()
    disk = SimulatedDisk(
      isKill ? disk.files.afterKill(seed: seed) : disk.files.afterPowerLoss(seed: seed))
    if !isKill { lostPower = true }
    for attempt in attempts where attempt.life == life.number && attempt.answer == nil { abandon(attempt) }
    try start()
  }

  /// Whether what was not synchronised may be gone.
  private(set) var lostPower = false
  private(set) var abandoned: Set<Int> = []
  private func abandon(_ attempt: Attempt) { abandoned.insert(attempt.number) }

  /// SIGTERM: nothing new is served, what is under way ends, and the journal is closed.
  private func drain() throws {
    guard let life else { return }
    note("drain")
    life.shared.drain.set()
    while violation == nil, life.open > 0 || life.workers.contains(where: \.loop.hasWork) {
      if isCrashing { return try crash() }
      goOn()
    }
    life.closeJournal()
    while violation == nil, !life.isOver {
      if isCrashing { return try crash() }
      goOn()
    }
    while isDoomed, !isCrashing { time.advance() }
    if isCrashing { return try crash() }
    report(life, hasCrashed: false)
    for tenant in Scenario.applications {
      let left = life.meters.meter(of: Text(tenant.id)).inFlight
      if left != 0 { fail("\(left) places of \(tenant.id) were not given back") }
    }
    self.life = nil
    life.release()
    // A disk that failed may have left what the next start mends.
    disk.files.fail(0)
    disk.files.leaveRoom(nil)
    _ = try Journal.openWithoutThread(scenario.journal, clock: time, files: disk)
    checkJournal("after the drain")
  }

  private func report(_ life: Life, hasCrashed: Bool) {
    let statistics = life.journal.statistics
    var counted: [String: Int] = [:]
    for worker in life.workers {
      for (key, count) in worker.metrics.counts(tenants: life.meters.ids).requests {
        counted["\(key.tenant) \(key.operation) \(key.decision.rawValue) \(key.status)", default: 0] += count
      }
    }
    lives.append(
      LifeReport(
        number: life.number, hasCrashed: hasCrashed,
        lostOutcomes: statistics.lostOutcomes + statistics.suppressed,
        answered: life.answered, counted: counted))
    note(
      "life \(life.number) is over, \(statistics.lostOutcomes) outcomes lost, \(statistics.suppressed) suppressed"
    )
  }

  // MARK: What callers do

  private func call() {
    guard !isQuiet, violation == nil else { return }
    if entropy.happens(scenario.mishaps) { mishap() }
    let count = entropy.happens(20) ? Int.random(in: 2...4, using: &entropy) : 1
    let intention = callers.next(repeats: scenario.repeats, at: time.wallClock(), &entropy)
    for _ in 0..<count where !isCrashing && life?.isDraining == false { send(intention) }
    let pause: Int64 =
      entropy.happens(10) ? .milliseconds(100...3000, &entropy) : .milliseconds(0...40, &entropy)
    time.after(pause) { [unowned self] in call() }
  }

  private func send(_ intention: Intention) {
    guard let life else { return }
    let attempt = Attempt(attempts.count, intention, life: life.number, begun: time.now)
    attempts.append(attempt)
    let worker = life.workers[Int.random(in: 0..<life.workers.count, using: &entropy)]
    note("attempt \(attempt.number): \(intention.kind) \(intention.number) of \(intention.key)")
    life.open += 1
    worker.loop.spawn { [self] in
      let peer = Peer(address: "192.0.2.1")
      var answer: Answer?
      if intention.kind == .unreadable {
        answer = Answer(worker.conclude(worker.begin(nil, from: peer), refusing: .unreadable(.bareLF)))
      } else if let message = Self.message(intention.bytes(userAgent: attempt.userAgent)) {
        answer = Answer(await worker.reply(to: message, from: peer))
      }
      life.open -= 1
      // Of a process that has ended nothing arrives.
      guard self.life === life, let answer else { return }
      attempt.answer = answer
      life.answered += 1
      note("attempt \(attempt.number) gets \(answer.status), up-\(answer.exchange ?? -1) \(answer.body)")
      check(attempt, answer)
    }
  }

  private static func message(_ bytes: [UInt8]) -> RequestMessage? {
    var parser = RequestParser(limits: HTTPLimits())
    guard case .request(let message)? = try? parser.next(adding: bytes.span.bytes) else { return nil }
    return message
  }

  // MARK: What goes wrong

  private func mishap() {
    switch Int.random(in: 0..<100, using: &entropy) {
    case 0..<25: service.mood = SimulatedService.Mood.allCases.randomElement(using: &entropy) ?? .well
    case 25..<40:
      let percent = entropy.happens(50) ? 0 : Int.random(in: 1...60, using: &entropy)
      note("\(percent) % of the disk's operations fail")
      disk.files.fail(percent)
    case 40..<50:
      let room = entropy.happens(60) ? nil : Int.random(in: 0...4000, using: &entropy)
      note("the disk has room for \(room.map { "\($0) bytes" } ?? "anything")")
      disk.files.leaveRoom(room)
    case 50..<60: setClock()
    case 60..<75: reload()
    case 75..<80: life?.journal.rotate()
    case 80..<85: disk.files.writeBack()
    case 85..<92:
      guard life != nil, !isDoomed else { return }
      note("the machine is about to crash")
      isDoomed = true
      disk.files.stop(after: Int.random(in: 0...12, using: &entropy))
      time.after(.milliseconds(0...20, &entropy)) { [unowned self] in isCrashing = isDoomed }
    default: isCrashing = life != nil
    }
  }

  private func setClock() {
    let far = entropy.happens(10)
    let by: Int64 = .milliseconds(far ? -900_000...900_000 : -3000...3000, &entropy)
    note("the clock is set by \(by / 1_000_000) ms")
    time.setWallClock(by: by)
    disk.files.now = time.wallClock().nanoseconds / 1_000_000_000
  }

  private func reload() {
    guard let life else { return }
    revision += 1
    let files = scenario.files(revision: revision, isBroken: entropy.happens(20), &entropy)
    guard let snapshot = try? Life.load(files, life.meters) else { return note("a reload fails") }
    note("reload, revision \(revision)")
    for worker in life.workers { worker.loop.spawn { worker.snapshot = snapshot } }
  }

  // MARK: What upstream does

  func exchange(
    _ request: OutboundText, deadline: Int64, of life: Life,
    _ waiter: UnsafeContinuation<ExchangeResult, Never>
  ) {
    guard self.life === life else { return waiter.resume(returning: .failure(.notSent(.closed))) }
    guard let attempt = request.attempt.map({ attempts[$0] }) else {
      fail("upstream got a request that no caller sent: \(request.text)")
      return waiter.resume(returning: .failure(.notSent(.closed)))
    }
    check(request, of: attempt, in: life)
    let number = service.begin(attempt, life: life.number, now: time.now)
    let course = service.course(&entropy)
    note("exchange up-\(number) for attempt \(attempt.number): \(course)")
    life.exchanges[number] = waiter
    switch course.result {
    case .failure(.notSent(let error)):
      end(number, after: course.arrival, .failure(.notSent(error)), of: life)
    case .failure(.timedOut(sent: false)):
      end(number, after: deadline - time.now, .failure(.timedOut(sent: false)), of: life)
    default: serve(request, number, course, deadline: deadline, of: life)
    }
  }

  private func serve(
    _ request: OutboundText, _ number: Int, _ course: SimulatedService.Course, deadline: Int64, of life: Life
  ) {
    service.note(number) { $0.wasSent = true }
    // It arrives also when the gateway is gone by then.
    time.after(course.arrival) { [unowned self] in
      var deserved = (status: 500, body: "{}", hadEffect: false)
      if course.isCarriedOut {
        deserved = service.carryOut(request)
        service.note(number) { $0.hadEffect = deserved.hadEffect }
      }
      let left = deadline - time.now
      let failure: ExchangeFailure
      switch course.result {
      case .failure(let found):
        failure = found
        if case .timedOut = found { return end(number, after: left, .failure(found), of: life) }
      case .success(let status):
        deserved = (status, "{}", deserved.hadEffect)
        fallthrough
      case nil:
        guard course.answer <= left else {
          return end(number, after: left, .failure(.timedOut(sent: true)), of: life)
        }
        guard
          let response = SimulatedService.response(to: number, status: deserved.status, body: deserved.body)
        else { return fail("upstream's answer cannot be written") }
        return end(number, after: course.answer, .success(response), of: life)
      }
      end(number, after: min(course.answer, left), .failure(failure), of: life)
    }
  }

  private func end(_ number: Int, after nanoseconds: Int64, _ result: ExchangeResult, of life: Life) {
    time.after(nanoseconds) { [unowned self, weak life] in
      service.note(number) {
        $0.ended = time.now
        if case .success(let response) = result { $0.status = response.head.status }
      }
      life?.exchanges.removeValue(forKey: number)?.resume(returning: result)
    }
  }
}

extension Answer {
  /// What the server would write of a reply.
  init(_ reply: consuming Reply) {
    status = reply.status
    fields = String(decoding: reply.fieldLines.array, as: UTF8.self)
    body = String(decoding: reply.bytes[reply.body.range], as: UTF8.self)
  }
}
