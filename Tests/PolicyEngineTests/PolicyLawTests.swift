import ChimeIdentity
import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// The laws of the page of semantics (section 10), over random policies and requests.
@Suite struct PolicyLawTests {
  private typealias World = ReferenceComparisonTests.World

  private func expectTheSame(_ one: Outcome, _ other: Outcome, _ about: @autoclosure () -> String) {
    #expect(one.decision.violations == other.decision.violations, "\(about())")
    #expect(one.decision.warnings == other.decision.warnings, "\(about())")
    #expect(one.decision.wouldChange == other.decision.wouldChange, "\(about())")
    #expect(one.request.changes == other.request.changes, "\(about())")
    #expect(one.request.body() == other.request.body(), "\(about())")
  }

  @Test func evaluatingTheForwardedBodyAgainChangesNothingAndDeniesNothing() throws {
    var repeated = 0
    try ReferenceComparisonTests.forEachCase(seeds: 50_000..<50_090) { world, tenant, plain, request, _ in
      guard world.isConsistent, !world.mayFeedAWhen else { return }
      let first = world.outcome(request, tenant)
      guard first.decision.isAllowed else { return }
      let again = try PolicyEngineTests.request(
        String(decoding: first.request.body(), as: UTF8.self), as: first.request.operation,
        appInstance: plain.appInstance, user: plain.userID)
      let second = world.outcome(again, tenant)
      #expect(
        second.changes == [] && second.violations == [], "\(Counterexample(world, tenant, plain))")
      repeated += 1
    }
    #expect(repeated > 200, "\(repeated)")
  }

  @Test func anotherPolicyThatOnlyChecksNeverAllowsMore() throws {
    try ReferenceComparisonTests.forEachCase(seeds: 60_000..<60_010) {
      world, tenant, plain, request, random in
      let more = random.policy(named: "0-more", changes: false)
      let before = world.outcome(request, tenant)
      let after = try world.with(policies: world.policies + [more]).outcome(request, tenant)
      #expect(
        Set(before.decision.violations).isSubset(of: after.decision.violations),
        "\(more.json)\n\(Counterexample(world, tenant, plain))")
      #expect(after.changes == before.changes)
    }
  }

  /// A policy that lowers days to its own ceiling allows no more than before where the days it leaves were allowed
  /// before: lowering can lead out of another policy's refusal of long days, which is what a clamp is for.
  @Test func anotherPolicyThatClampsAllowsMoreOnlyWhereItLowersDays() throws {
    try ReferenceComparisonTests.forEachCase(seeds: 65_000..<65_006) { world, tenant, _, request, random in
      guard !world.asksForDays else { return }
      var more = random.policy(named: "0-more", changes: false)
      more.maxDays = 3
      more.clamps = true
      more.expirationMode = nil
      let before = world.outcome(request, tenant)
      let after = try world.with(policies: world.policies + [more]).outcome(request, tenant)
      guard before.request.expirationDays != after.request.expirationDays else {
        #expect(before.decision.isAllowed || !after.decision.isAllowed, "\(more.json)")
        return
      }
      // Even then the days are all that can have become right.
      #expect(after.request.expirationDays ?? .max <= 3)
      let others = before.decision.violations.filter { !$0.rule.hasPrefix("expiration.") }
      #expect(Set(others).isSubset(of: Set(after.decision.violations)), "\(more.json)")
    }
  }

  @Test func policiesInWarnOrOffOrForOtherTenantsDecideNothing() throws {
    try ReferenceComparisonTests.forEachCase(seeds: 90_000..<90_005) { world, tenant, _, request, random in
      var more = random.policy(named: "0-more", changes: true)
      let before = world.outcome(request, tenant)
      more.mode = "warn"
      let warned = try world.with(policies: world.policies + [more]).outcome(request, tenant)
      #expect(warned.decision.violations == before.decision.violations, "\(more.json)")
      #expect(warned.request.changes == before.request.changes)
      #expect(warned.request.body() == before.request.body())
      var others = more
      others.mode = "enforce"
      others.match.tenants = ["nobody"]
      for silent in [more.with(\.mode, "off"), others] {
        let after = try world.with(policies: world.policies + [silent]).outcome(request, tenant)
        expectTheSame(before, after, silent.json)
      }
    }
  }

  @Test func whatExcludesEverythingIsAsGoodAsOff() throws {
    let everything = [
      PlainMatch(), PlainMatch(tenants: ["*"]), PlainMatch(appInstances: ["*"], operations: ["*"]),
      PlainMatch(operations: ["Create*", "Update*", "Put*", "*agResource"]),
    ]
    try ReferenceComparisonTests.forEachCase(seeds: 91_000..<91_005) { world, tenant, _, request, random in
      let index = random.one(Array(world.policies.indices))
      var policies = world.policies
      policies[index].mode = "off"
      let off = try world.with(policies: policies).outcome(request, tenant)
      policies[index] = world.policies[index]
      policies[index].match.exclude = [random.one(everything)]
      let excluded = try world.with(policies: policies).outcome(request, tenant)
      expectTheSame(off, excluded, policies[index].json)
    }
  }

  @Test func aWeakerModeOfARuleThatChangesNothingDeniesNothingMore() throws {
    var weakened = 0
    try ReferenceComparisonTests.forEachCase(seeds: 92_000..<92_020) {
      world, tenant, plain, request, random in
      let index = random.one(Array(world.policies.indices))
      let rules = world.policies[index].rulesThatChangeNothing
      guard !rules.isEmpty else { return }
      var policies = world.policies
      policies[index][keyPath: random.one(rules)] = random.one(["warn", "off"])
      let before = world.outcome(request, tenant)
      let after = try world.with(policies: policies).outcome(request, tenant)
      #expect(
        Set(after.decision.violations).isSubset(of: before.decision.violations),
        "\(policies[index].json)\n\(Counterexample(world, tenant, plain))")
      #expect(after.request.changes == before.request.changes)
      weakened += before.decision.violations == after.decision.violations ? 0 : 1
    }
    #expect(weakened > 20, "\(weakened)")
  }

  @Test func oneExceptionMoreDeniesNothingMoreAndHidesNothing() throws {
    var softened = 0
    try ReferenceComparisonTests.forEachCase(seeds: 94_000..<94_020) {
      world, tenant, plain, request, random in
      let more = random.exception(named: "more", for: world.policies.map(\.name))
      let before = world.outcome(request, tenant)
      let after = try world.with(exceptions: world.exceptions + [more]).outcome(request, tenant)
      let about = "\(more.json)\n\(Counterexample(world, tenant, plain))"
      #expect(Set(after.decision.violations).isSubset(of: before.decision.violations), "\(about)")
      #expect(
        Set(after.violations + after.warnings.map(\.ofNoPolicy))
          == Set(before.violations + before.warnings.map(\.ofNoPolicy)), "\(about)")
      #expect(after.request.body() == before.request.body() && after.wouldChange == before.wouldChange)
      softened += before.decision.violations.count - after.decision.violations.count
    }
    #expect(softened > 50, "\(softened)")
  }

  @Test func theOrderAndTheNamesOfFilesDoNotMatter() throws {
    try ReferenceComparisonTests.forEachCase(seeds: 70_000..<70_020) {
      world, tenant, plain, request, random in
      // Files are named after their place.
      let shuffled = try world.with(
        policies: random.shuffled(world.policies), exceptions: random.shuffled(world.exceptions))
      expectTheSame(
        world.outcome(request, tenant), shuffled.outcome(request, tenant),
        "\(Counterexample(world, tenant, plain))")
    }
  }

  /// A user is created, and another call is made about it: what held of it holds.
  @Test func noLaterCallChangesWhatAWhenAsksOfTags() throws {
    var seen = (later: 0, whens: 0, refused: 0)
    try ReferenceComparisonTests.forEachCase(seeds: 93_000..<93_150, requests: 40) {
      world, tenant, plain, request, random in
      guard plain.operation == "CreateAppInstanceUser" else { return }
      let world = try world.with(exceptions: [])
      let created = world.outcome(request, tenant)
      guard created.decision.isAllowed else { return }
      let reference = try #require(world.references[tenant.id])
      let guarded = reference.enforced.map(\.policy).filter { policy in
        policy.when?.keys.isEmpty == false && policy.mutable.isEmpty
          && reference.concerns(policy.match, plain)
      }
      guard !guarded.isEmpty else { return }
      var user = plain
      user.tags = created.request.tags.map { ($0.key.string, $0.value.string) }
      user.days = created.request.expirationDays
      for _ in 0..<3 {
        let later = random.laterCall(about: user)
        guard world.outcome(try later.governed(), tenant).decision.isAllowed else {
          seen.refused += 1
          continue
        }
        seen.later += 1
        let changed = user.after(later)
        for policy in guarded {
          seen.whens += 1
          let when = try #require(policy.when)
          #expect(
            reference.truth(when, user) == reference.truth(when, changed),
            "\(policy.json)\n\(later)\n\(Counterexample(world, tenant, user))")
        }
      }
    }
    #expect(min(seen.later, seen.refused) > 200 && seen.whens > 200, "\(seen)")
  }
}

extension ReferenceComparisonTests.World {
  private var whens: [PlainWhen] { policies.compactMap(\.when) + exceptions.compactMap(\.when) }

  fileprivate var asksForDays: Bool { whens.contains { $0.fields.contains("expirationDays") } }

  /// Whether what one policy changes may be what another's `when` asks for, of which `check` warns.
  fileprivate var mayFeedAWhen: Bool { problems.contains { $0.message.contains("policy's when holds") } }
}

extension PlainWhen {
  fileprivate var fields: [String] {
    conditions.map(\.field) + ((all ?? []) + (any ?? []) + not).flatMap(\.fields)
  }
}

extension PlainPolicy {
  /// The modes of its rules that only refuse.
  fileprivate var rulesThatChangeNothing: [WritableKeyPath<PlainPolicy, String?>] {
    var modes: [WritableKeyPath<PlainPolicy, String?>] = []
    if userID.saysSomething { modes.append(\.userID.mode) }
    if userName.saysSomething { modes.append(\.userName.mode) }
    if saysSomethingOfMetadata { modes.append(\.metadataMode) }
    if saysSomethingOfDays, defaultDays == nil, !clamps { modes.append(\.expirationMode) }
    if saysSomethingOfTags, set.isEmpty, required.allSatisfy({ $0.standard == nil }) {
      modes.append(\.tagsMode)
    }
    return modes
      + required.indices.filter { required[$0].standard == nil }.map { \.required[$0].mode }
  }
}

extension RandomPolicies {
  /// A call that may change what tags a user has.
  fileprivate mutating func laterCall(about user: PlainRequest) -> PlainRequest {
    var call = request()
    call.operation = one(["TagResource", "UntagResource"])
    call.appInstance = user.appInstance
    call.userID = user.userID
    if call.tags.isEmpty { call.tags = [("K", "a")] }
    if let own = user.tags.randomElement(using: &random), chance(50) { call.tagKeys = [own.key] }
    return call
  }
}

extension PlainRequest {
  /// The user that this created, after another call.
  fileprivate func after(_ call: PlainRequest) -> PlainRequest {
    var user = self
    let touched = call.operation == "TagResource" ? call.tags.map(\.key) : call.tagKeys
    user.tags.removeAll { tag in touched.contains { Array($0.utf8) == Array(tag.key.utf8) } }
    if call.operation == "TagResource" { user.tags += call.tags }
    return user
  }
}

extension String {
  /// A warning as violations are written.
  fileprivate var ofNoPolicy: String { split(separator: " ").dropFirst().joined(separator: " ") }
}
