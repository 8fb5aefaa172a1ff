import AuditTrail
import ChimeIdentity
import Configuration
import OpenSSLCrypto
import PolicyReplay
import Primitives
import StrictJSON
import TestSupport
import Testing

@testable import PolicyEngine

/// Random policies and requests, written as records of the journal and read back by a replay.
@Suite struct ReplayPropertyTests {

  /// As the gateway fills it in.
  private func audited(_ request: borrowing GovernedRequest, _ decision: Decision, tenant: Text, number: Int)
    -> AuditedRequest
  {
    var entry = AuditedRequest(
      id: RequestID(from: SeededEntropy(seed: UInt64(number))),
      time: WallClockTime(seconds: 1_795_438_800),
      decision: decision.isAllowed ? .allowed : .denied)
    entry.tenant = tenant
    entry.operation = request.operation.text
    let request = PlainFacts(request)
    if !request.appInstanceArn.isEmpty { entry.appInstanceArn = request.appInstanceArn }
    entry.appInstanceUserId = request.appInstanceUserId
    entry.resourceArn = request.resourceArn
    entry.name = request.name
    entry.metadata = request.metadata
    entry.tags = request.tags.map { .init(key: $0.key, value: $0.value) }
    entry.tagKeys = request.tagKeys
    entry.expirationDays = request.expirationDays
    let finding = { (found: Violation) in
      AuditedRequest.Finding(
        policy: found.policy, rule: found.rule, field: found.field, message: found.message)
    }
    entry.violations = decision.violations.map(finding)
    entry.warnings = decision.warnings.map(finding)
    entry.policyRevision = "sha256:00"
    return entry
  }

  /// The line of a record, as the journal holds it.
  private func line(_ entry: AuditedRequest, _ sensitivity: Sensitivity) -> [UInt8] {
    let body =
      entry.decision == .allowed
      ? entry.intentRecord(under: sensitivity)
      : entry.outcomeRecord(
        AuditedResult(.notForwarded, status: 403, durationNanoseconds: 1), under: sensitivity)
    var lines = ChainedLines()
    var head = ChainHead.genesis
    lines.append(body, after: &head)
    return lines.withBytes { Array($0.dropLast()) }
  }

  private typealias World = ReferenceComparisonTests.World

  /// Calls `body` with each case: the worlds before and after, whose request it is, and what each decided in full.
  private func forEachCase(
    seeds: Range<UInt64>,
    _ body: (World, World, PlainTenant, borrowing GovernedRequest, Decision, Decision, Int) throws -> Void
  ) throws {
    var number = 0
    for seed in seeds {
      var random = RandomPolicies(seed: seed)
      let tenants = random.tenants()
      let before = try World(random.policies(), tenants)
      let after = try World(random.policies(), tenants)
      for _ in 0..<10 {
        let request = try random.request().governed()
        for tenant in tenants {
          number += 1
          try body(
            before, after, tenant, request, before.set.outcome(of: request, tenant: tenant.facts).decision,
            after.set.outcome(of: request, tenant: tenant.facts).decision, number)
        }
      }
    }
  }

  private func replay(_ world: World, _ lines: [[UInt8]]) -> ([ReplayedRequest], ReplayTally) {
    var replay = Replay(policies: world.set, tenants: world.tenants.map(\.facts), scope: .init())
    for line in lines { replay.survey(line) }
    let found = lines.compactMap { replay.take($0) }
    expectSame(world, lines, found, replay.tally)
    return (found, replay.tally)
  }

  /// Records that are together already, as a database gives them, tell the same.
  private func expectSame(
    _ world: World, _ lines: [[UInt8]], _ found: [ReplayedRequest], _ tally: ReplayTally
  ) {
    var other = Replay(policies: world.set, tenants: world.tenants.map(\.facts), scope: .init())
    let requests = lines.compactMap { JournalRecord(line: $0) }.map { RequestHistory(first: $0, second: nil) }
    #expect(requests.compactMap { other.take($0)?.json } == found.map(\.json))
    #expect(other.tally.json == tally.json)
  }

  @Test func theSamePoliciesChangeNothing() throws {
    var denied = 0
    try forEachCase(seeds: 200_000..<200_060) { world, _, tenant, request, decision, _, number in
      let entry = audited(request, decision, tenant: tenant.facts.id, number: number)
      let (changed, tally) = replay(world, [line(entry, Sensitivity(metadata: .plain))])
      #expect(changed.isEmpty && tally.unchanged == 1, "\(decision) \(entry)")
      for (key, counts) in tally.rules {
        #expect(counts.new == 0 && counts.gone == 0 && counts.before == counts.now, "\(key) \(counts)")
      }
      if !decision.isAllowed { denied += 1 }
    }
    #expect(denied > 300)
  }

  @Test func otherPoliciesChangeExactlyWhatTheyDecideOtherwise() throws {
    var changes = 0
    try forEachCase(seeds: 210_000..<210_060) { _, after, tenant, request, was, now, number in
      let entry = audited(request, was, tenant: tenant.facts.id, number: number)
      let (changed, tally) = replay(after, [line(entry, Sensitivity(metadata: .plain))])
      #expect(tally.changed == (was.isAllowed == now.isAllowed ? 0 : 1))
      guard let change = changed.first else { return }
      changes += 1
      #expect(change.requestId == entry.id.text)
      #expect(change.now == (now.isAllowed ? .allowed : .denied))
      #expect(change.violations == now.violations)
    }
    #expect(changes > 300)
  }

  /// What is hidden may make a decision impossible, but never another one.
  @Test(arguments: [false, true])
  func hiddenValuesNeverChangeAVerdict(_ isHashed: Bool) throws {
    let hidden: Sensitivity.Treatment =
      isHashed ? .hashed(under: Secret([UInt8](repeating: 7, count: 32))) : .omitted
    let sensitivity = Sensitivity(name: hidden, metadata: hidden, tagValues: hidden)
    var decided = (allowed: 0, denied: 0, undecidable: 0)
    try forEachCase(seeds: 220_000..<220_060) { _, after, tenant, request, was, now, number in
      let entry = audited(request, was, tenant: tenant.facts.id, number: number)
      let (changed, tally) = replay(after, [line(entry, sensitivity)])
      #expect(tally.evaluated == 1)
      for (key, counts) in tally.rules {
        let found = key.mode == .enforce ? now.violations : now.warnings
        let isBroken = found.contains { $0.policy == key.policy && Text($0.rule) == key.rule }
        #expect(counts.now == 0 || isBroken, "\(key) is said to be broken")
        #expect(counts.gone == 0 || !isBroken, "\(key) is said to be kept")
      }
      guard tally.undecidable == 0 else {
        decided.undecidable += 1
        return
      }
      let verdict = changed.first?.now ?? (was.isAllowed ? .allowed : .denied)
      #expect(verdict == (now.isAllowed ? .allowed : .denied), "\(after.policies.map(\.json)) \(entry)")
      if verdict == .allowed { decided.allowed += 1 } else { decided.denied += 1 }
    }
    #expect(min(decided.allowed, decided.denied, decided.undecidable) > 100, "\(decided)")
  }

  /// Sizes that no request can have had; a replay must not try to make such metadata.
  @Test(arguments: ["9223372036854775807", "65537", "-1", "-9223372036854775808"])
  func aSizeThatNoRequestHadMakesARecordUnreadable(_ size: String) throws {
    let (set, _) = try compile([policy(#""metadata":{"maxBytes":9}"#)])
    func tally(_ size: String) -> ReplayTally {
      var replay = Replay(policies: set, tenants: [crm], scope: .init())
      let line =
        Array(
          #"{"record":"intent","requestId":"1","tenant":"crm","operation":"CreateAppInstanceUser","#.utf8
        ) + Array(#""metadataBytes":\#(size),"decision":"allowed","policyRevision":"sha256:00"}"#.utf8)
      _ = replay.take(line)
      return replay.tally
    }
    #expect(tally(size).unreadable == 1 && tally(size).requests == 0)
    #expect(tally("65536").unreadable == 0 && tally("65536").allowedToDenied == 1)
    #expect(tally("9").unchanged == 1)
  }
}
