import AuditTrail
import Glibc
import Primitives
import TestSupport

@testable import AuditStore

/// What must hold in every run, whatever goes wrong.
extension Simulation {
  // MARK: When upstream gets a request

  func check(_ request: OutboundText, of attempt: Attempt, in life: Life) {
    let intention = attempt.intention
    guard intention.kind.isForwarded else {
      return fail("\(intention.kind) was forwarded, attempt \(attempt.number)")
    }
    for name in ["alpha", "beta", "gamma", "delta"] where !intention.application.instances.contains(name) {
      let isNamed = ["app-instance/", "app-instance%2F"].contains { request.text.contains($0 + name) }
      if isNamed { return fail("\(intention.application.id) reached \(name), attempt \(attempt.number)") }
    }
    if !scenario.continuesOnFailure, !isIntentKept(of: attempt) {
      return fail("attempt \(attempt.number) is forwarded without an intent on disk")
    }
    if intention.kind.isKept { checkAlone(attempt, in: life) }
  }

  private func isIntentKept(of attempt: Attempt) -> Bool {
    if scenario.durability == .interval, disk.hasFailed { return true }
    let contents = scenario.durability == .sync ? disk.files.contentsOnDisk : disk.files.contents
    // The outcome of a request with an intent does not name the User-Agent.
    return contents.contains { $0.holds(Array(attempt.userAgent.utf8)) }
  }

  /// Nothing else under its token is under way, and what was answered within the window is not asked again.
  private func checkAlone(_ attempt: Attempt, in life: Life) {
    guard scenario.replayWindow > 0 else { return }
    for other in service.exchanges
    where other.life == life.number && other.attempt !== attempt && other.attempt.intention.kind.isKept
      && other.attempt.intention.key == attempt.intention.key
    {
      guard let ended = other.ended else {
        return fail(
          "attempts \(other.attempt.number) and \(attempt.number) of one token are forwarded at once")
      }
      guard let status = other.status, isDefinitive(status),
        time.now - ended < scenario.replayWindow * 1_000_000_000
      else { continue }
      return fail(
        "attempt \(attempt.number) is forwarded although up-\(other.number) has answered its token lately")
    }
  }

  private func isDefinitive(_ status: Int) -> Bool {
    (200..<500).contains(status) && ![401, 403, 408, 425, 429].contains(status)
  }

  // MARK: When a caller gets an answer

  func check(_ attempt: Attempt, _ answer: Answer) {
    let took = time.now - attempt.begun
    // For the one that it repeats, for a disk that was stalled already, and for its own write.
    let limit = 3 * scenario.requestTimeout * 1_000_000_000 + 1_500_000_000
    if took > limit { fail("attempt \(attempt.number) took \(took / 1_000_000) ms") }
    let sent = service.exchanges.filter { $0.attempt === attempt && $0.wasSent }
    guard let number = answer.exchange else { return checkOwn(answer, to: attempt, timesSent: sent.count) }
    let exchange = service.exchanges[number]
    if exchange.attempt === attempt { return }
    guard attempt.intention.isRepeat(of: exchange.attempt.intention), exchange.life == attempt.life else {
      return fail(
        "attempt \(attempt.number) got up-\(number), the answer to attempt \(exchange.attempt.number)")
    }
    if !sent.isEmpty { fail("attempt \(attempt.number) was forwarded and got another one's answer") }
  }

  /// An answer of the gateway's own says whether something was sent, and blames no token that was not used before.
  private func checkOwn(_ answer: Answer, to attempt: Attempt, timesSent: Int) {
    if answer.body.contains("may have been carried out") != (timesSent > 0) {
      fail(
        "attempt \(attempt.number) is told \(answer.status) `\(answer.body)`, and was sent \(timesSent) times"
      )
    }
    guard answer.status == 409 else { return }
    let isUsed = attempts.contains {
      $0.life == attempt.life && $0.intention.key == attempt.intention.key
        && $0.intention.content != attempt.intention.content
    }
    if !isUsed { fail("attempt \(attempt.number) is told that its token was used, and it was not") }
  }

  // MARK: The journal

  /// It verifies, whenever nobody writes it.
  func checkJournal(_ when: String) {
    do {
      disk.files.fail(0)
      let verification = try JournalVerification(of: disk.files)
      if let problem = verification.problem { fail("\(when): \(problem.segment): \(problem.message)") }
    } catch {
      fail("\(when): \(error)")
    }
  }

  func checkEnd() {
    guard violation == nil else { return }
    for attempt in attempts where attempt.answer == nil && !abandoned.contains(attempt.number) {
      return fail("attempt \(attempt.number) got no answer")
    }
    do {
      var records = Records()
      _ = try JournalReader(disk.files).forEachRecord { records.take($0) }
      if let problem = records.problem { return fail(problem) }
      for attempt in attempts {
        if let problem = problem(of: attempt, in: records) {
          return fail("attempt \(attempt.number) (\(attempt.intention.kind)): \(problem)")
        }
      }
      for life in lives where !life.hasCrashed { checkCounts(of: life, records) }
    } catch {
      fail("\(error)")
    }
  }

  private func problem(of attempt: Attempt, in records: Records) -> String? {
    let exchanges = service.exchanges.filter { $0.attempt === attempt }
    let isKept = scenario.durability == .sync && !scenario.continuesOnFailure
    guard let request = records.request(of: attempt) else {
      return isKept && !exchanges.isEmpty ? "forwarded, and not in the journal" : nil
    }
    if isKept, !exchanges.isEmpty, request.intent == nil { return "forwarded, and without an intent" }
    guard let outcome = request.outcome, let end = outcome.text("outcome")?.string else { return nil }
    let sent = exchanges.filter(\.wasSent)
    if (end == "notForwarded") != sent.isEmpty { return "`\(end)`, and it was sent \(sent.count) times" }
    if attempt.intention.kind == .update, sent.count > 1 {
      return "without a token, and sent \(sent.count) times"
    }
    switch end {
    case "rejected" where sent.contains(where: \.hadEffect): return "`rejected`, and it had an effect"
    case "created", "succeeded":
      guard sent.contains(where: { $0.status.map { $0 < 300 } ?? false }) else {
        return "`\(end)` out of nothing"
      }
    default: break
    }
    guard let answer = attempt.answer else { return nil }
    if outcome.integer("status") != answer.status {
      return "got \(answer.status), and the journal has another status"
    }
    if answer.exchange == nil, end != "notForwarded", end != "unknown" { return "`\(end)` of an own answer" }
    guard let repeated = outcome.text("repeatOf") ?? request.intent?.text("repeatOf") else { return nil }
    guard let first = attempts.first(where: { $0.answer?.id == repeated.string }) else { return nil }
    return attempt.intention.isRepeat(of: first.intention) ? nil : "a repeat of attempt \(first.number)"
  }

  /// Each answer is counted once, and has its outcome in the journal or is counted as lost.
  private func checkCounts(of life: LifeReport, _ records: Records) {
    let answered = attempts.filter { $0.life == life.number && $0.answer != nil }
    let counted = life.counted.values.reduce(0, +)
    if counted != answered.count { fail("\(answered.count) answers, and \(counted) in the metrics") }
    let missing = answered.filter { records.request(of: $0)?.outcome == nil }
    if missing.count > life.lostOutcomes {
      fail(
        "life \(life.number): the outcomes of \(missing.map(\.number)) are missing, and \(life.lostOutcomes) are counted"
      )
    }
    guard missing.isEmpty else { return }
    var recorded: [String: Int] = [:]
    for attempt in answered {
      guard let request = records.request(of: attempt) else { continue }
      recorded[request.labels, default: 0] += 1
    }
    if recorded != life.counted { fail("the metrics count \(life.counted), the journal tells \(recorded)") }
  }
}

/// The journal's records, by request.
private struct Records {
  struct Request {
    var intent: JournalRecord?
    var outcome: JournalRecord?

    /// As the metrics name it.
    var labels: String {
      func text(_ member: Text) -> String { (outcome?.text(member) ?? intent?.text(member))?.string ?? "" }
      return "\(text("tenant")) \(text("operation")) \(text("decision")) \(outcome?.integer("status") ?? 0)"
    }
  }

  private(set) var problem: String?
  private var requests: [String: Request] = [:]
  /// By User-Agent, for those that got no answer.
  private var ids: [String: String] = [:]

  mutating func take(_ record: JournalRecord) {
    guard let id = record.requestId?.string else { return }
    if let agent = record.text("userAgent")?.string {
      if let known = ids[agent], known != id { problem = "\(agent) is told of twice" }
      ids[agent] = id
    }
    var request = requests[id] ?? Request()
    switch record.kind {
    case .intent:
      if request.intent != nil || request.outcome != nil {
        problem = "a second record before the outcome of \(id)"
      }
      request.intent = record
    case .outcome:
      if request.outcome != nil { problem = "a second outcome of \(id)" }
      if record.integer("intent") != request.intent?.sequence {
        problem = "the outcome of \(id) names another intent"
      }
      request.outcome = record
    default: break
    }
    requests[id] = request
  }

  func request(of attempt: Attempt) -> Request? {
    (attempt.answer?.id ?? ids[attempt.userAgent]).flatMap { requests[$0] }
  }
}

extension [UInt8] {
  /// Whether `needle`, which begins with a byte that is rare, is a part of it. Debug builds would take most of their time
  /// with a search byte by byte.
  fileprivate func holds(_ needle: [UInt8]) -> Bool {
    withUnsafeBytes { bytes in
      guard var place = bytes.baseAddress else { return false }
      let end = place + bytes.count
      while let found = memchr(place, Int32(needle[0]), place.distance(to: end)) {
        guard found.distance(to: UnsafeMutableRawPointer(mutating: end)) >= needle.count else { return false }
        if memcmp(found, needle, needle.count) == 0 { return true }
        place = UnsafeRawPointer(found + 1)
      }
      return false
    }
  }
}
